#!/bin/sh
set -e
if [ "$(lava-role)" = node ]; then
  env -i PATH="$PATH" HOME=/tmp bash ./node.sh up
else
  lava-wait up
fi
