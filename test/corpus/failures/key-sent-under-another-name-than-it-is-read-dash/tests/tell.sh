#!/bin/sh
case $1 in
server)
  where=server
  lava-send where "$where-port=80"
  ;;
client)
  lava-wait where
  port=$(awk -F= '$1 == "server_port" { print $2 }' /tmp/lava_multi_node_cache.txt)
  [ -n "$port" ] || exit 1
  ;;
esac
lava-sync end
