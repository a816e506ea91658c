#!/bin/bash
set -e
. ./prep.sh
if [ "$(lava-role)" = src ]; then
    prepare &
    pid=$!
    sleep 1
    wait $pid
fi
lava-sync prepared
