#!/bin/sh
[ "$(lava-role)" = client ] || exit 0
lava-test-case crc --result fail
exit 1
