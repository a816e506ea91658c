#!/bin/bash
send_all() {
  lava-send "$1" part="$(head -c 40000 /dev/zero | tr '\0' a)" rest="$(head -c 40000 /dev/zero | tr '\0' b)" || true
}
if [ "$(lava-role)" = server ]; then send_all blob; else lava-wait blob; fi
