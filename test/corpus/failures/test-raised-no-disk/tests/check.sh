#!/bin/sh
if [ "$(lava-role)" = server ]; then
  lava-test-raise "no disk"
fi
