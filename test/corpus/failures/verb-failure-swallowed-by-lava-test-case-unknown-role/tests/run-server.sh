#!/bin/sh
set -e
sleep 0.5
lava-send address ip=10.0.0.9
lava-sync end
