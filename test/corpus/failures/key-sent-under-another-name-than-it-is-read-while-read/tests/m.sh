#!/bin/bash
set -e
if [ "$1" = server ]; then
  lava-send endpoint HOST=10.1.1.1 PORT=99
else
  lava-wait endpoint
  while IFS='=' read -r key value; do
    case $key in
      host) host=$value ;;
      port) port=$value ;;
    esac
  done < /tmp/lava_multi_node_cache.txt
  if [ -z "$host" ]; then echo "no host"; exit 1; fi
fi
