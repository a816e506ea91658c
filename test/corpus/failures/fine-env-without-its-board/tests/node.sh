set -e
echo "node says $1"
lava-send "$1"
