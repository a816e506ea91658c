set -e
lava-sync said
lava-wait small
grep "^port=" /tmp/lava_multi_node_cache.txt
