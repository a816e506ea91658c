#!/bin/sh
set -e
share-names
# refer to the server by name
server=$(lava-group | grep 'server$' | cut -f 1)
lava-sync ready
# run-client
lava-test-case fetch-from-server --shell "fetch-data $server | grep \"hello from $server\""
lava-sync done
