#!/bin/bash
set -e
if [ "$(lava-role)" = server ]; then
  for kv in "ip 10.0.0.1"; do
    lava-test-case tell --shell lava-send server "$kv"
  done
  lava-test-case told --result pass
else
  lava-wait server
fi
