#!/bin/bash
set -e
if [ "$(lava-role)" = hub ]; then
  for what in temperature humidity; do
    lava-wait-all "$what-measured" leaf
  done
else
  lava-send temperature-measured celsius=20
fi
