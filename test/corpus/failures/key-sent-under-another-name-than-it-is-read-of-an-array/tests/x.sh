#!/bin/bash
set -e
if [ "$(lava-role)" = srv ]; then
    declare -A facts=([host_name]=db1 [tcp-port]=5432)
    args=()
    for k in "${!facts[@]}"; do args+=("$k=${facts[$k]}"); done
    lava-send facts "${args[@]}"
    lava-wait thanks
else
    lava-wait facts
    while IFS='=' read -r k v; do
        [ "$k" = tcp_port ] && port=$v
    done < /tmp/lava_multi_node_cache.txt || true
    test -n "$port"
    lava-send thanks
fi
