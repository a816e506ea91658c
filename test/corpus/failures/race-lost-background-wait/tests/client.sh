#!/bin/bash
lava-wait key &
pid=$!
sleep 1
kill $pid
wait $pid || { echo "no key in time"; exit 2; }
