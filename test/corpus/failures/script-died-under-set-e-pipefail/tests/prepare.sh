#!/bin/bash
set -euo pipefail
if [ "$1" = server ]; then
  echo "nothing to prepare"
else
  version=$(cat /proc/version | grep -o 'NetBSD [0-9]*' | head -1)
  echo "runs $version"
fi
