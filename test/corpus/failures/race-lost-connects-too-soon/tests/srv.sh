set -e
echo "starting"
lava-send up port=7007
sleep 3
timeout 10 python3 -m http.server 7007 || true
