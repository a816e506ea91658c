#!/bin/bash
set -e
c=/tmp/lava_multi_node_cache.txt
case $(lava-role) in
client)
    lava-send client-up ip=10.1.1.$((RANDOM % 250))
    lava-wait start ;;
server)
    lava-wait-all client-up client
    grep '^ip=' $c | cut -d= -f2 > /tmp/ips
    n=$(wc -l < /tmp/ips)
    [ "$n" = 2 ]
    lava-send start ;;
esac
