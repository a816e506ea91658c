#!/bin/sh
T() { printf "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=%s RESULT=%s>" "$1" "$2"; }
T a pass; T b fail; T c skip; echo
T d pass; printf " and "; T e fail; printf "\n"
printf "<LAVA_SIGNAL_TESTSET START s>"; T f pass; printf "<LAVA_SIGNAL_TESTSET STOP>"; T g pass; echo
i=0; while [ $i -lt 300 ]; do T "many$i" pass; i=$((i+1)); done; echo
printf "<LAVA_SIGNAL_STARTTC h>"; T h pass; printf "<LAVA_SIGNAL_ENDTC h>\n"
printf "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=half RES"; T i pass; echo
(T j pass) & (T k fail) & wait; echo
