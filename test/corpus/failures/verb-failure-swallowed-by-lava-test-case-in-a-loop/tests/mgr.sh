#!/bin/bash
set -e
for r in vms; do
    lava-test-case "wait-$r" --shell sh -c "lava-wait-all vm-up $r"
done
while IFS== read -r k v; do
    echo "$k has $v"
    n=$((n + 1))
done < /tmp/lava_multi_node_cache.txt
test "$n" = 2
lava-send all-there
