#!/bin/bash
if [ "$(lava-role)" = server ]; then sleep 5; fi
until timeout 3 lava-sync ready; do echo "again"; done
lava-sync end
