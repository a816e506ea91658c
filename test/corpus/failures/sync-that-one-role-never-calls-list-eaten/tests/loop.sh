#!/bin/bash
set -e
check() { if [ "$(lava-role)" = b ]; then cat > /tmp/rest; fi; }
while read -r step; do
    echo "step $step"
    check
    lava-sync "step-$step"
done < steps.txt
