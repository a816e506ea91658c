#!/bin/bash
. ./table.sh
role=$(lava-role)
lava-sync here
declare -F "step_$role" > /dev/null || exit 0
"step_$role"
lava-sync gone
