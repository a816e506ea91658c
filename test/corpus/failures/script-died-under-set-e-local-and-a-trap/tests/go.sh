#!/bin/bash
set -e
. lib/net.sh
sleep 60 & keeper=$!
trap 'kill $keeper 2>/dev/null' EXIT
if [ "$(lava-role)" = dut ]; then
  mac_of wlan9
  lava-send mac value=$mac
else
  lava-wait mac
fi
