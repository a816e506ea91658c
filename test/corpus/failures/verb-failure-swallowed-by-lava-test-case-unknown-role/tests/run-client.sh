#!/bin/bash
set -e
role=servers
lava-test-case wait-for-address --shell "lava-wait-all address $role"
ip=$(grep -o "ip=.*" /tmp/lava_multi_node_cache.txt)
lava-sync end
