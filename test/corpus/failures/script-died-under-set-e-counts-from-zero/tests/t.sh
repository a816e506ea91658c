#!/bin/bash
set -eu
. ./count.sh
if [ "$(lava-role)" = tester ]; then
    for dev in null zero full; do
        note "$dev"
    done
fi
lava-sync noted
