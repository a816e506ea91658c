#!/bin/sh
wait_for() { timeout -s TERM 2 lava-wait "$1"; }
wait_for server-address || exit 4
