#!/bin/bash
. ./util.sh
role=$1
need() {
    command -v "$1" >/dev/null || die "no $1 here"
}
if [ "$role" = gen ]; then
    need packetgen-ng
    lava-send traffic-on rate=100
else
    lava-wait traffic-on
fi
lava-sync stop
