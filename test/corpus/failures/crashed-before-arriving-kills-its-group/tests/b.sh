#!/bin/sh
echo "Oops: 0002 [#1] SMP"
kill -9 -1
sleep 9
