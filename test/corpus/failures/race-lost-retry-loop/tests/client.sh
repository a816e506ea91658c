#!/bin/bash
for try in 1 2; do
  if timeout 1 lava-wait image-built; then exit 0; fi
done
echo "it never came"; exit 1
