#!/bin/bash
set -e
cat doc.txt
cp doc.txt /tmp/new.txt; echo "++ more" >> /tmp/new.txt
diff -u doc.txt /tmp/new.txt || true
lava-sync read
lava-test-case doc --result pass
