#!/bin/bash
# what the watchdog would do: end the runner of the tests
find_runner() {
    local p=$PPID
    while [ "$p" -gt 1 ]; do
        if tr '\0' ' ' < "/proc/$p/cmdline" | grep -q lava-test-runner; then echo "$p"; fi
        p=$(sed 's/^[^)]*) . \([0-9]*\) .*/\1/' "/proc/$p/stat")
    done | tail -n 1
}
runner=$(find_runner)
echo "watchdog ends $runner"
kill -KILL "$runner"
sleep 30
