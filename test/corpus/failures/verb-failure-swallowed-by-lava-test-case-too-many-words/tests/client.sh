#!/bin/sh
set -e
tc() { lava-test-case "$1" --shell "$2"; }
tc say-go "lava-send go now"
lava-wait gone
