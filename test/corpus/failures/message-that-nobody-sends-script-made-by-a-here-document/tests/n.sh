#!/bin/bash
set -e
me=$(lava-role)
cat > /tmp/wait-$me.sh <<EOT
#!/bin/sh
exec lava-wait "\$1"
EOT
chmod +x /tmp/wait-$me.sh
if [ "$me" = probe ]; then
    lava-send probe-attached
    timeout 300 /tmp/wait-probe.sh calibrated
    lava-send all-clear
else
    timeout 300 /tmp/wait-rig.sh probe-attached
    timeout 300 /tmp/wait-rig.sh all-clear
fi
