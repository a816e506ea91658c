#!/bin/bash
if [ "$(lava-role)" = srv ]; then
    while ! [ -e /tmp/pid ]; do sleep 1; done
    lava-send up
else
    lava-wait up
fi
