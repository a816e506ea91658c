#!/bin/sh
set -e
if [ "$(lava-role)" = server ]; then
  lava-send up
else
  lava-wait-all up "$PEER"
fi
lava-sync over
