#!/bin/sh
T() { printf "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=%s RESULT=pass>\n" "$1"; }
T a | tee /dev/null
python3 -c "print('<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=py RESULT=pass>')"
x=$(T captured)
T tofile > f.txt
echo "\"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=quoted RESULT=pass>\""
cat << END
<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=heredoc RESULT=pass>
END
i=0; while [ $i -lt 50 ]; do printf "progress $i%%\r"; i=$((i+1)); done; T progress
head -c 20000 /dev/zero | tr "\0" y; T longline
printf "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=k2 [ 1.000001] one\n[ 2.000002] two\nRESULT=fail>\n"
printf "<LAVA_SIG[ 3.000003] mid\nNAL_TESTCASE TEST_CASE_ID=k3 RESULT=skip>\n"
printf "<6>[ 4.000004] printk <LAVA_SIGNAL_TESTCASE TEST_CASE_ID=k4 RESULT=pass>\n"
printf "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=never RES\n"
echo next line
echo "<LAVA_SIGNAL_NONSENSE x>"
printf "\033[2K\033[1G<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=erase RESULT=pass>\033[K\n"
printf "<LAVA_SIGNAL_TESTCASE\033[0m TEST_CASE_ID=colour RESULT=pass>\n"
printf "<LAVA_SIGNAL_TESTCASE  TEST_CASE_ID=dbl   RESULT=pass  >\n"
echo "<lava_signal_testcase TEST_CASE_ID=lower RESULT=pass>"
(sleep 1; T late) &
T last
