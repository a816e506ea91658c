#!/bin/bash
lava-send "up-$(lava-role)"
for r in server client; do
    lava-wait "up-$r"
done
lava-sync all-up
