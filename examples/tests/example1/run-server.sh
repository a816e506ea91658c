#!/bin/sh
set -e
iperf -s -B "$(get-my-ip)" > /dev/null &
# Only when it listens is the server ready: a send before that would be a race.
until iperf -c "$(get-my-ip)" -t 1 -n 1K > /dev/null 2>&1; do sleep 0.1; done
lava-send server-ready ip="$(get-my-ip)"
# With more than one client: lava-wait-all client-done.
lava-wait client-done
