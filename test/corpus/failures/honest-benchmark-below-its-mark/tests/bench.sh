#!/bin/bash
lava-sync begin
if [ "$(lava-role)" = rx ]; then
  rate=4
  [ "$rate" -ge 9 ] && verdict=pass || verdict=fail; lava-test-case rate --result $verdict --measurement $rate
fi
lava-sync end
