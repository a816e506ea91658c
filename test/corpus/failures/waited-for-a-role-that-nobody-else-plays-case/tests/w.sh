#!/bin/bash
set -e
peers() { echo Client; }
if [ "$(lava-role)" = server ]; then
  lava-wait-all hello "$(peers)"
else
  lava-send hello
fi
lava-sync end
