#!/bin/bash
set -e
stage=flashed
case $1 in
  server) id="$stage" ;;
  client) id="${stage}_all" ;;
esac
# both come here
if [ "$1" = client ]; then
  lava-sync "$id"
else
  lava-sync "$id"
fi
