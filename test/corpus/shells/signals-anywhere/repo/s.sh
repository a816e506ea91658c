#!/bin/sh
S() { printf "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=%s RESULT=pass>" "$1"; }
printf "[    1.234567] "; S kernel; echo
printf "root@board:~# "; S prompt; echo
printf "\033[1;31mred "; S red; printf "\033[0m\n"
S glued; printf "tail\n"
printf "50%%\r"; S cr; printf "\r\n"
printf "\t\t"; S tab; echo
printf "<<<"; S angle; printf ">>>\n"
S err >&2; echo >&2
printf "2024-01-01T00:00:00 "; S stamp; echo
printf "\007\000"; S nul; echo
printf "\033]0;title\007"; S title; echo
S utf; printf "\303\244\n"
printf "\377\376"; S badutf; echo
printf "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=cut RES"; sleep 1; printf "ULT=pass>\n"
printf "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=kmid RES[   77.000001] usb 1-1: new device\nULT=fail>\n"
S tty > /dev/stdout; echo
printf "%4096s" x; S far; echo
S noeol
