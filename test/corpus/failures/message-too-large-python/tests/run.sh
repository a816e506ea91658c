#!/bin/bash
set -e
if [ "$(lava-role)" = cam ]; then
  python3 frame.py
else
  lava-wait frame
fi
