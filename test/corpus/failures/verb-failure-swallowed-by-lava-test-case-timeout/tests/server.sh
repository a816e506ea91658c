#!/bin/sh
set -e
sleep 3
lava-send address ip=10.0.0.1
lava-sync end
