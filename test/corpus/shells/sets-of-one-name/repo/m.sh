#!/bin/sh
lava-test-set start alpha
lava-test-case a --result pass
lava-test-set stop alpha
lava-test-set start alpha
lava-test-case b --result pass
echo "<LAVA_SIGNAL_TESTSET STOP>"
lava-test-set start alpha
lava-test-case c --result pass
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=d RESULT=pass>"
lava-test-set stop
lava-test-case a --result fail
i=0; while [ $i -lt 20 ]; do echo "<LAVA_SIGNAL_TESTSET START set$i>"; lava-test-case q$i --result pass; echo "<LAVA_SIGNAL_TESTSET STOP>"; i=$((i+1)); done
