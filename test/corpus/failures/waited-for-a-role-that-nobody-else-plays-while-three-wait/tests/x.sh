#!/bin/bash
case $(lava-role) in
a) lava-wait-all ready c || exit 1
   lava-send start ;;
b) lava-send ready; lava-wait start ;;
esac
