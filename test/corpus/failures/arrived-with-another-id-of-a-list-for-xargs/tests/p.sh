#!/bin/sh
set -e
role=$(lava-role)
xargs -n 1 lava-sync < "phases/$role.txt"
