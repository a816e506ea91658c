set -e
lava-wait facts
cache=/tmp/lava_multi_node_cache.txt
addr=$(awk -F= '$1=="server_addr"{print $2}' $cache)
grep -q '^ready=yes' $cache
test -n "$addr"
lava-send read
