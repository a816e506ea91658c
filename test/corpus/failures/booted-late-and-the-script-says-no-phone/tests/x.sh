#!/bin/sh
if [ "$(lava-role)" = phone ]; then
    lava-send phone-up
else
    timeout 3 lava-wait phone-up || { echo "no phone"; exit 1; }
fi
lava-sync go
