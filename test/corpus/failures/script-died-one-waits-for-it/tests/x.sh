#!/bin/bash
if [ "$(lava-role)" = srv ]; then
    sleep 1
    [ -x /opt/iperf9/bin/iperf9 ] || exit 42
    lava-send iperf-ready
else
    lava-wait iperf-ready
fi
lava-sync finish
