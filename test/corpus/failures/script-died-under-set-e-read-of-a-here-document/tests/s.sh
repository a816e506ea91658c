#!/bin/bash
set -e
if [ "$(lava-role)" = server ]; then
    read -r -d '' CONFIG <<EOF
listen 0.0.0.0
port 5001
EOF
    echo "$CONFIG" > /tmp/server.conf
    lava-send configured
else
    lava-wait configured
fi
