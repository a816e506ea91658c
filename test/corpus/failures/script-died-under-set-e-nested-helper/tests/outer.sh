#!/bin/sh
set -e
./inner.sh "$(lava-role)"
echo outer done
