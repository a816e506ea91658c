#!/bin/sh
set -e
stage=1
lava-send "stage-$stage"
test -d /mnt/stage-1-done
lava-sync stage-2
