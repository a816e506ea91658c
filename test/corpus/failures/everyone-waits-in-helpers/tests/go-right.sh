#!/bin/sh
set -e
what=ready
lava-wait-all $what
lava-send $what
