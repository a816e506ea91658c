set -e
ip=$(ip -4 -o addr show dev wlan7 2>/dev/null | awk '{print $4}' | cut -d/ -f1)
( while sleep 1; do date > /tmp/beat; done ) &
beat=$!
lava-send server-ready proto=tcp ${ip:+ip=$ip}
lava-wait-all client-done
kill $beat
