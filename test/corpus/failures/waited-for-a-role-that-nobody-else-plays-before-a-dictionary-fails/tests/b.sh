set -e
lava-send hello
lava-wait-all answer "a,b"
