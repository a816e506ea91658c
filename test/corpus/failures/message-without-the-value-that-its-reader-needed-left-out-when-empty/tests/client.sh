set -e
lava-wait server-ready
target=$(grep '^ip=' /tmp/lava_multi_node_cache.txt)
echo "pinging ${target#ip=}"
lava-send client-done
