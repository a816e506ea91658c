#!/bin/bash
set -e
if [ "$(lava-role)" = w ]; then
  for id in prepared mounted; do
    echo "wait for $id"
    lava-wait "$id"
  done
else
  lava-send prepared
fi
