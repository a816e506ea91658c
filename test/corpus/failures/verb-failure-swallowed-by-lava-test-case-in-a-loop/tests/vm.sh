#!/bin/bash
sleep 1
lava-send vm-up mem=512
lava-wait all-there
