#!/bin/bash
set -e
case $(lava-role) in
leaf) lava-send mac mac_addr=aa:bb ;;
hub)
  lava-wait-all mac leaf
  count=$(grep -c ':mac=' /tmp/lava_multi_node_cache.txt)
  [ "$count" -eq 2 ]
  ;;
esac
