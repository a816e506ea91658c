#!/bin/sh
echo "latency: 10.5"
echo "tput:  7"
