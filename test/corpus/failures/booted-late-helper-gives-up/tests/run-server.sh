#!/bin/sh
lava-send server-address ip=10.1.1.1
