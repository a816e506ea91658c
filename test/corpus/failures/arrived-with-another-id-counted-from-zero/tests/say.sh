#!/bin/sh
# Each client by its number in the group.
number=0
for name in $(lava-group client); do
  [ "$name" != "$(lava-self)" ] || break
  number=$((number + 1))
done
prefix=client
lava-send "$prefix-$number"
