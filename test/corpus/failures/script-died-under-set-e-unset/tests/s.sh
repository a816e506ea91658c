#!/bin/bash
set -u
echo begin
echo "$NOT_SET_ANYWHERE"
lava-send up
