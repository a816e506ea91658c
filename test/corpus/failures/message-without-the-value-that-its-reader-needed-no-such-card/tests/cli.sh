C=${LAVA_MULTI_NODE_CACHE:-/tmp/lava_multi_node_cache.txt}
lava-wait serving
port=$(sed -n 's/^port=//p' "$C")
ip=$(sed -n 's/^ip=//p' "$C")
test -n "$ip"
lava-send fetched
