set -e
lava-wait report
for n in left right; do
  value=$(sed -n "s/^$n=//p" /tmp/lava_multi_node_cache.txt)
  test -n "$value"
done
