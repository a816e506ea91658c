#!/bin/bash
set -e
step() { echo "== $1"; lava-sync "$1"; }

case $(lava-role) in
    server)
        step ready
        step done ;;
    client)
        step ready
        sleep 1
        step done ;;
    *)
        step ready
        echo "nothing to do for $(lava-role)" ;;
esac
