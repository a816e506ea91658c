#!/bin/bash
set -e
first=$(lava-group s | head -n1)
if [ "$(lava-role)" = m ]; then
    for s in $(lava-group s); do
        lava-wait "hello-${s}"
    done
    lava-send bye
else
    name=$(lava-self)
    [ "$name" = "$first" ] && name=${name^^}
    lava-send "hello-$name"
    lava-wait bye
fi
