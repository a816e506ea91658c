#!/bin/sh
if [ "$(lava-role)" = phone ]; then
    lava-send phone-up
else
    until timeout 2 lava-wait phone-up; do echo "still no phone"; done
fi
lava-sync called
