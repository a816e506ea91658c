#!/bin/sh
set -e
if [ "$1" = server ]; then set -- disk net; else set -- net disk; fi
for what in "$@"; do
  lava-sync "$what-configured"
done
