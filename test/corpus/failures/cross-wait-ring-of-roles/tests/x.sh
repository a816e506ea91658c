#!/bin/bash
set -e
me=$(lava-role)
. "./conf/$me"
lava-wait-all "up.$NEED" "$NEED"
lava-send "up.$me"
lava-sync over
