#!/bin/sh
id='flash.done'
[ "$1" != b ] || id=flash,done
case $1 in
  a) lava-sync $id ;;
  b) lava-sync $id ;;
esac
