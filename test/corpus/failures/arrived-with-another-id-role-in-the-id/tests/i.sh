#!/bin/bash
set -e
r=$(lava-role)
if [ $r = server ]; then
  lava-wait client-done
else
  lava-send "${r}s-done"
fi
