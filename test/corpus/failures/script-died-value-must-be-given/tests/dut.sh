#!/bin/sh
: "${BOARD_SERIAL:?must be given by the job}"
lava-send dut-ready serial="$BOARD_SERIAL"
