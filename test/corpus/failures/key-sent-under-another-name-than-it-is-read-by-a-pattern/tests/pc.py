import re
import subprocess

subprocess.check_call(["lava-wait", "gateway"])
text = open("/tmp/lava_multi_node_cache.txt").read()
found = re.search(r"^addr=(\S+)$", text, re.M)
print("gateway", found.group(1))
subprocess.check_call(["lava-send", "reached"])
