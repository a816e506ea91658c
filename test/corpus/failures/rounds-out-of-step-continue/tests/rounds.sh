#!/bin/bash
set -e
for round in 1 2 3 4; do
  if [ "$(lava-role)" = client ] && [ "$round" = 3 ]; then
    continue
  fi
  lava-sync measure
done
