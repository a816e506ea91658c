set -e
lava-send here addr=10.0.0.$RANDOM
lava-wait all-here
