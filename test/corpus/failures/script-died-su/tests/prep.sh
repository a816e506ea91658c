#!/bin/sh
echo "preparing $1"
[ "$1" != b ] || exit 9
echo "prepared"
