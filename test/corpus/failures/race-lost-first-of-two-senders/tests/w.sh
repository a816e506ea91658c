#!/bin/bash
set -e
readonly CACHE=/tmp/lava_multi_node_cache.txt
rank() { lava-group worker | grep -n "^$(lava-self)\$" | cut -d: -f1; }
if [ "$(lava-role)" = worker ]; then
    r=$(rank)
    sleep $(( (r - 1) * 5 ))
    lava-send worker-up "ip$r=192.168.0.$r"
    lava-wait work
else
    lava-wait worker-up
    for r in 1 2; do
        grep "^ip$r=" $CACHE
    done
    lava-send work
fi
