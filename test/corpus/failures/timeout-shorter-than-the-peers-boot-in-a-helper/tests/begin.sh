#!/bin/sh
echo "begin on $(lava-self)"
lava-sync begin
