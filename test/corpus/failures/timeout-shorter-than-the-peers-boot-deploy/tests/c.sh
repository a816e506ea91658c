#!/bin/sh
set -e
what=address
lava-wait "$what"
