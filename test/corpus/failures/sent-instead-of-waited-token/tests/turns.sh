#!/bin/bash
set -e
if [ "$(lava-role)" = first ]; then
  sleep 1.5
  mkdir -p /tmp/t
  lava-send token n=1
else
  lava-send token
  n=$(sed -n 's/^n=//p' /tmp/lava_multi_node_cache.txt)
  test "$n" = 1
fi
