set -e
if [ "$(lava-role)" = hub ]; then
  lava-wait-all here leaf
  for leaf in $(lava-group leaf); do grep -q "^$leaf:n=" /tmp/lava_multi_node_cache.txt; done
else
  lava-send here n=$RANDOM
fi
lava-sync end
