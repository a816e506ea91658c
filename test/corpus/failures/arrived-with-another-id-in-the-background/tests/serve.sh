#!/bin/bash
sleep 0.3
lava-send "iperf-server-up" port=5201
sleep 0.2
