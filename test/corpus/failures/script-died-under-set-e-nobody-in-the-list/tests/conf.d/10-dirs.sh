mkdir -p /tmp/work
