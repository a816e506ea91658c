#!/bin/bash
if [ "$(lava-role)" = client ]; then
  lava-wait-all go SERVER || exit 1
else
  lava-send go
fi
