#!/bin/bash
set -e
grep -q nothing-like-it /etc/hostname || echo "not there"
if ! ls /no-such-folder 2>/dev/null; then echo "not there either"; fi
( exit 4 ) || true
lava-sync end
