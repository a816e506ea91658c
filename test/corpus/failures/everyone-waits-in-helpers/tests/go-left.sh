#!/bin/sh
lava-wait-all "ready" right
lava-send ready
