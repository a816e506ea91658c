#!/bin/bash
set -e
if [ "$(lava-role)" = server ]; then
  if [ -e /etc/this-is-not-there ]; then
    lava-send found
  fi
else
  lava-wait found
fi
