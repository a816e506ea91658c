#!/bin/sh
set -e
share-names
# start-server
make-data "hello from $(lava-self)"
serve-data
lava-sync ready
lava-sync done
