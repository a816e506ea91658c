#!/usr/bin/env python3
import sys
values = dict(l.rstrip("\n").split("=", 1) for l in open("/tmp/lava_multi_node_cache.txt"))
print(values[sys.argv[1]])
