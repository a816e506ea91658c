#!/bin/bash
set -e
ask() { lava-wait "$1"; }
case $(lava-role) in
a) sleep 2
   modprobe_version=$(cat /sys/module/no_such_mod/version)
   lava-send "mod" v=$modprobe_version ;;
b) ask mod; lava-send b-ok ;;
c) ask b-ok; lava-send c-ok ;;
esac
lava-wait-all finished
