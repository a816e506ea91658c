#!/bin/sh
set -e
echo "loading $1"
test "$1" != uart
