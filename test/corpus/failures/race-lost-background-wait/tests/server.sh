#!/bin/bash
sleep 3
lava-send -- 2>/dev/null || true
lava-send key v=1
