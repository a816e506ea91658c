#!/bin/bash
set -e
if [ "$(lava-role)" = client ]; then
  lava-send ready
  lava-sync ready
else
  lava-sync ready
fi
