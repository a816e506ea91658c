#!/bin/bash
set -e
cache=/tmp/lava_multi_node_cache.txt
if [ "$(lava-role)" = server ]; then
  port=$(sed -n 's/^Port //p' /etc/hostname)
  lava-send service host="$(lava-self)" port="$port"
else
  lava-wait service
  port=$(sed -n 's/^port=//p' $cache)
  [ -n "$port" ]
fi
lava-sync end
