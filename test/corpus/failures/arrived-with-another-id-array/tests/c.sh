#!/bin/bash
set -e
phases=(boot laod run)
for p in "${phases[@]}"; do
  lava-sync "phase-$p"
done
