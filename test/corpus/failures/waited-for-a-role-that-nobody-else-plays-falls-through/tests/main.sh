#!/bin/bash
set -e
me=$1
if [ "$me" = server ]; then
  sleep 2
  lava-send address ip=10.0.0.1
else
  lava-wait-all address "$me"
  grep -q "ip=" /tmp/lava_multi_node_cache.txt
fi
lava-sync end
