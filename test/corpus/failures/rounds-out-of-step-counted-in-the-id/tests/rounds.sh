#!/bin/sh
set -e
for n in "$@"; do
  lava-sync round-"$n"
done
