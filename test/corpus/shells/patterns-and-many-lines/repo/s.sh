#!/bin/sh
i=0; while [ $i -lt 5000 ]; do echo "L$i pass"; i=$((i+1)); done
head -c 30000 /dev/zero | tr "\0" x; echo " L6000 pass"
printf "L6001 pass"; printf "\rL6002 fail\r\n"
echo "L0 fail"
