#!/bin/bash
mode=quick
[ "$1" = client ] || mode=full
if [ $mode = full ]; then
  lava-sync measured
fi
