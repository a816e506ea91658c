#!/bin/sh
trap "" TERM HUP INT
echo BEFORE
lava-wait never
while :; do echo "AFTER $(date +%s.%N)"; lava-test-case after --result pass; echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=after-signal RESULT=pass>"; done
