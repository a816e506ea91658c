#!/bin/sh
[ "$(lava-role)" = server ] || lava-test-case throughput --result fail --measurement 3 --units MB
