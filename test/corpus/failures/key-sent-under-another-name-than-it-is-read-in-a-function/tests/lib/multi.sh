CACHE=${LAVA_MULTI_NODE_CACHE:-/tmp/lava_multi_node_cache.txt}
value_of() {
  sed -n "s/^$1=//p" "$CACHE"
}
server_main() {
  lava-send config speed=100 user_name=root
}
client_main() {
  lava-wait config
  user=$(sed -n 's/^username=//p' "$CACHE")
  test "$user" = root
}
