trap 'echo leaving' EXIT
case $(lava-role) in
  a) sleep 2; lava-send go n=1 ;;
  b) for try in 1 2 3 4 5 6; do timeout 1 lava-wait go && break; done; grep -q '^n=1' /tmp/lava_multi_node_cache.txt ;;
esac
lava-sync end
