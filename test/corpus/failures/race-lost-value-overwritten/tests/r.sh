#!/bin/bash
set -e
case $1 in
  w1) lava-send leader name=w1 ;;
  w2) sleep 0.2; lava-send leader name=w2 ;;
  reader)
    sleep 1.2
    lava-wait leader
    name=$(awk -F= '/^name=/{print $2}' /tmp/lava_multi_node_cache.txt)
    [ "$name" = w1 ] ;;
esac
