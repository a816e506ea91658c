#!/bin/sh
sleep 4
lava-send image-built
