#!/bin/sh
echo "loading the module"
echo "Kernel panic - not syncing: Fatal exception"
kill -9 $(cat /tmp/runner.pid 2>/dev/null) $(pidof -x lava-test-runner)
sleep 30
