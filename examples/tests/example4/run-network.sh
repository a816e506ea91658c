#!/bin/sh
set -e
# The seed: ifconfig eth0 up. A board may have `ip` instead, and a plain board has no eth0 of its own.
if [ -z "$MUSTER_PLAIN_ADDRESS" ]; then
    ifconfig eth0 up 2> /dev/null || ip link set eth0 up
    ip -4 addr show dev eth0 | grep -q inet
fi
# "do whatever other tasks may be suitable here": the server offers something to reach.
if [ "$(lava-role)" = server ]; then
    make-data "the database is reached"
    serve-data
fi
lava-network broadcast eth0
lava-network collect eth0 server
# The address of the board that is named `database`, and a look whether it is the right one.
lava-test-case query-database --shell lava-network query database
database=$(lava-network query database)
lava-test-case reach-database --shell "git ls-remote git://$database/data | grep refs/heads/main"
# The server stays until everybody has reached it.
lava-sync reached
