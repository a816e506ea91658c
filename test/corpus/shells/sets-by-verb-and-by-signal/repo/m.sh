#!/bin/sh
lava-test-set start alpha
echo "<LAVA_SIGNAL_TESTSET STOP>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=s1 RESULT=pass>"
lava-test-case v1 --result pass
echo "<LAVA_SIGNAL_TESTSET START beta>"
lava-test-case v2 --result pass
lava-test-set stop
lava-test-case v3 --result pass
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=s3 RESULT=pass>"
lava-test-set start gamma
echo "<LAVA_SIGNAL_TESTSET START delta>"
lava-test-case v4 --result pass
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=s4 RESULT=pass>"
lava-test-case v5 --shell true
echo "<LAVA_SIGNAL_TESTSET STOP delta>"
lava-test-case v6 --result pass
lava-test-reference r6 --result pass --reference http://x.example
lava-test-set start eps
lava-test-reference r7 --result pass --reference http://x.example
echo "noise <LAVA_SIGNAL_TESTSET STOP> noise"
lava-test-case v8 --result pass
