#!/bin/bash
set -e
lava-test-case address --shell timeout 1 lava-wait address
ip=$(sed -n "s/^ip=//p" /tmp/lava_multi_node_cache.txt)
[ -n "$ip" ]
lava-sync end
