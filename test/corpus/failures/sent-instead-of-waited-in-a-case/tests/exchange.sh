#!/bin/bash
set -e
role=$(lava-role)
case "$role" in
writer)
  sleep 1
  lava-send data value=17
  lava-sync through
  ;;
reader)
  lava-send data
  value=$(sed -n 's/^value=//p' /tmp/lava_multi_node_cache.txt)
  lava-sync through
  ;;
esac
