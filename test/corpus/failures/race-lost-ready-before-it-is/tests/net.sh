#!/bin/bash
set -e
if [ "$1" = server ]; then
  lava-send server-ready
  sleep 2
else
  lava-wait server-ready
  exec 3<>/dev/tcp/127.0.0.1/5201
  echo connected
fi
lava-sync end
