#!/bin/bash
rounds() {
  local n=0 most=$1
  until [ "$n" -ge "$most" ]; do
    lava-sync "tick"
    n=$((n + 1))
  done
}
case $1 in
  tx) rounds 4 ;;
  rx) rounds 3 ;;
esac
