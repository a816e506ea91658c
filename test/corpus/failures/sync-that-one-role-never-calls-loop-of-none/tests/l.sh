#!/bin/bash
disks=""
[ "$(lava-role)" = client ] || disks="sda"
for d in $disks; do
  lava-sync "disk-$d"
done
