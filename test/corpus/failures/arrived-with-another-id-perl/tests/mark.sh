#!/bin/sh
set -e
if [ "$1" = probe ]; then
  perl mark.pl "Link_Up"
else
  lava-sync link-up
fi
