#!/bin/sh -e
left=3
[ "$(lava-role)" = a ] && left=9
while [ "$left" -gt 0 ]; do
    echo "countdown $left"
    left=$(expr "$left" - 1)
    [ "$left" -gt 7 ] && break
done
lava-sync zero
