#!/bin/bash
set -e
lava-network broadcast eth0
lava-network collect eth0
if [ "$(lava-role)" = left ]; then
    peer=$(lava-group right)
    hw=$(lava-network query "$peer" hwaddr)
    echo "wake $hw"
fi
lava-sync woken
