#!/bin/sh
if [ "$(lava-role)" = server ]; then
  [ -e /dev/sdz ] || { echo "no disk"; exit 3; }
fi
