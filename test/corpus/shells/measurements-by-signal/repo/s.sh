#!/bin/sh
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=exp RESULT=pass MEASUREMENT=1e5 UNITS=ms>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=point RESULT=pass MEASUREMENT=.5 UNITS=ms>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=plus RESULT=pass MEASUREMENT=+3 UNITS=ms>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=hex RESULT=pass MEASUREMENT=0x10 UNITS=ms>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=nan RESULT=pass MEASUREMENT=nan UNITS=ms>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=comma RESULT=pass MEASUREMENT=1,5 UNITS=ms>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=huge RESULT=pass MEASUREMENT=1e999 UNITS=ms>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=two RESULT=pass MEASUREMENT=1.2.3 UNITS=ms>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=list RESULT=pass MEASUREMENT=9.8 10.2 10.0 UNITS=MB/s>"
echo "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=nothing RESULT=pass MEASUREMENT= UNITS=>"
lava-test-case empty --result fail --measurement --units
lava-test-case only-units --result pass --units s
lava-test-case twice --result pass --measurement 1 --measurement 2
lava-test-case swapped --measurement 4 --units "parts per million" --result pass
