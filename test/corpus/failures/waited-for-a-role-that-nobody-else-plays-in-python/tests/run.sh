#!/bin/sh
set -e
if [ "$(lava-role)" = hub ]; then python3 hub.py; else lava-send armed; lava-wait go; fi
