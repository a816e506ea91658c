#!/bin/bash
set -e
gen() {
  sleep 0.5
  exit 8
}
if [ "$(lava-role)" = gen ]; then
  gen & job=$!
  wait "$job"
  lava-send generated
else
  lava-wait generated
fi
