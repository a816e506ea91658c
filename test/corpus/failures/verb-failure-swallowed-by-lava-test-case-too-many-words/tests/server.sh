#!/bin/sh
set -e
lava-wait go
lava-send gone
