#!/bin/sh
set -e
lava-wait server-ready
# The seed reads /tmp/lava_multi_node_cache.txt; LAVA_MULTI_NODE_CACHE says where it is when it was moved.
server=$(cut -d = -f 2 "${LAVA_MULTI_NODE_CACHE:-/tmp/lava_multi_node_cache.txt}")
# "do something with output": the last line ends in the bandwidth, in bits per second.
bits=$(iperf -c "$server" -t 2 -y C | tail -n 1 | cut -d , -f 9)
lava-test-case bandwidth --result pass --measurement "$((bits / 1000000))" --units Mbit/s
lava-send client-done
