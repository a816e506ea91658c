#!/bin/bash
set -o errexit -o pipefail
name() { tr -dc a-z < /dev/urandom | head -c 8; }
case "$(lava-role)" in
  gen)
    id=$(name)
    lava-send token id="$id" ;;
  eat)
    lava-wait token ;;
esac
