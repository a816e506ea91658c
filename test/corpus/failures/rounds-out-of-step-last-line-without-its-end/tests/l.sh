#!/bin/sh
while read -r row; do
    echo "row $row"
    lava-sync row
done < "rows-$(lava-role).txt"
