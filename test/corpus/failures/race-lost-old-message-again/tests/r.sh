#!/bin/bash
set -e
port() { sed -n 's/^port=//p' /tmp/lava_multi_node_cache.txt; }
serve() { ( cd /tmp && exec timeout 30 python3 -m http.server "$1" ) > /dev/null 2>&1 & }
if [ "$(lava-role)" = server ]; then
    serve 5001; one=$!
    sleep 1
    lava-send port port=5001
    lava-wait first-done
    kill $one; sleep 3
    serve 5002
    sleep 1
    lava-send port port=5002
    lava-wait second-done
else
    lava-wait port
    exec 3<>"/dev/tcp/$(lava-group server)/$(port)"
    lava-send first-done
    sleep 1
    lava-wait port
    exec 4<>"/dev/tcp/$(lava-group server)/$(port)"
    lava-send second-done
fi
