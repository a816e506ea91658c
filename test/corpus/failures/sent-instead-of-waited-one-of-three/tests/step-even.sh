#!/bin/sh
set -e
sleep 1
lava-sync "stage-1"
lava-sync stage-2
