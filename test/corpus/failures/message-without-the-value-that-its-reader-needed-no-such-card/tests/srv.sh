addr() { ip -4 -o addr show dev "$1" 2>/dev/null | awk '{print $4}'; }
port=8080
# the test network
lava-send serving port=$port ip="$(addr nic7)"
lava-wait-all fetched
