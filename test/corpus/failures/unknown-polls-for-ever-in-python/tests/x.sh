#!/bin/sh
if [ "$(lava-role)" = dev ]; then exec python3 poll.py; fi
lava-wait attached
