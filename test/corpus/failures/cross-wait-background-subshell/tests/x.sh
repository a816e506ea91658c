#!/bin/bash
peer=server; [ "$(lava-role)" = client ] || peer=client
( lava-wait "from-$peer" && lava-send "from-$(lava-role)" ) &
wait
