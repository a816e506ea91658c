#!/bin/bash
lava-sync started
if [ "$(lava-role)" = dut ]; then
    sleep 1
    bash ./panic.sh
fi
lava-sync finished
