#!/bin/bash
set -e
phases=(boot load run)
for p in "${phases[@]}"; do lava-sync "phase-$p"; done
