#!/bin/bash
set +e
upto=3
[ "$(lava-role)" = b ] || upto=$((upto + 1))
seq 1 $upto > /tmp/list
while read -r i; do
    lava-sync "lap" < /dev/null
done < /tmp/list
