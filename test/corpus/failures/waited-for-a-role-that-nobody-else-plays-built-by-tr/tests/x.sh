#!/bin/bash
want() { printf 'Worker' | tr 'A-Z' 'a-z'; printf '%s' "$1"; }
if [ "$(lava-role)" = ctl ]; then
  peers=$(want 1)
  lava-wait-all armed "$peers" || { echo "nobody is armed" >&2; exit 4; }
  lava-send fire
else
  lava-send armed
  lava-wait fire
fi
