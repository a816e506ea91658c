#!/bin/bash
set -eu
if [ "$(lava-role)" = server ]; then
  lava-send creds user=root
else
  lava-wait creds
  . /tmp/lava_multi_node_cache.txt
  echo "log in as $user with $password"
fi
lava-sync end
