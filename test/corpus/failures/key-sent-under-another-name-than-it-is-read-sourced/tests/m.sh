#!/bin/bash
set -eu
server() { lava-send db database_url=x://y; }
client() {
  lava-wait db
  source "${LAVA_MULTI_NODE_CACHE:-/tmp/lava_multi_node_cache.txt}"
  echo "to $databaseurl"
}
$1
