#!/bin/bash
case $(lava-role) in
a) lava-wait-all token c; lava-send token ;;
b) lava-wait-all token a; lava-send token ;;
c) lava-wait-all token b; lava-send token ;;
esac
