set -e
lava-wait-all here leaf
found=0
while IFS='=' read -r key value; do
  echo "read $key"
  case $key in
    addr) found=$((found + 1)) ;;
  esac
done < /tmp/lava_multi_node_cache.txt
[ "$found" -gt 0 ]
lava-send all-here
