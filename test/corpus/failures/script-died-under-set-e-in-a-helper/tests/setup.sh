#!/bin/bash
set -e
echo "set up $(lava-self)"
if [ "$(lava-role)" = client ]; then
  cat /etc/no-such-file
fi
echo fine
