#!/bin/bash
lava-sync begin
[ "$(lava-role)" = dut ] && sleep 25
lava-sync end
