#!/bin/bash
trap 'echo "cleaning up"' EXIT
lava-sync begin
if [ "$(lava-role)" = dut ]; then
  for port in /dev/ttyACM7 /dev/ttyACM8; do
    echo "looking at $port"
    [ -c "$port" ] || { echo "no $port" >&2; exit 17; }
  done
fi
lava-sync end
