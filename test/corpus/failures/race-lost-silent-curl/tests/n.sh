#!/bin/bash
set -e
case $(lava-role) in
  server)
    lava-send http-up url=http://127.0.0.1:8099/
    sleep 1.5
    ;;
  client)
    lava-wait http-up
    url=$(sed -n 's/^url=//p' /tmp/lava_multi_node_cache.txt)
    curl -s -o /dev/null "$url" || wget -q -O /dev/null "$url"
    ;;
esac
lava-sync end
