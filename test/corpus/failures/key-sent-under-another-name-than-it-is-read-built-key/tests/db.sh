set -e
short=db
addr=10.9.8.7
lava-send facts "${short}_addr=$addr" ready=yes
lava-wait read
