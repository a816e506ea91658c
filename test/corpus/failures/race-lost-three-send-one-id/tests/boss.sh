set -e
cache=/tmp/lava_multi_node_cache.txt
lava-wait joined
for n in 1 2 3; do
  grep "^mac$n=" "$cache"
done
lava-send start
