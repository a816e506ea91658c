#!/bin/sh
T() { echo "<LAVA_SIGNAL_TESTCASE $*>"; }
T RESULT=pass TEST_CASE_ID=order
T TEST_CASE_ID=m RESULT=pass UNITS=MB/s MEASUREMENT=10.50
T TEST_CASE_ID=lower result=pass
T test_case_id=low2 RESULT=fail
T "TEST_CASE_ID=two  RESULT=pass "
T TEST_CASE_ID=caps RESULT=PASS
T TEST_CASE_ID=empty-m RESULT=pass MEASUREMENT= UNITS=
T TEST_CASE_ID=eq=sign RESULT=pass
T TEST_CASE_ID=bad RESULT=maybe
T TEST_CASE_ID=no-result
T RESULT=pass
echo "<LAVA_SIGNAL_TESTREFERENCE ref pass http://x.example/a?b=c>"
echo "<LAVA_SIGNAL_STARTTC sc>"; echo "<LAVA_SIGNAL_ENDTC sc>"
T TEST_CASE_ID=unknown RESULT=unknown
T TEST_CASE_ID=skip RESULT=skip
