import subprocess
import sys

def verb(*words):
    subprocess.check_call(words)

role = sys.argv[1]
if role == "load":
    verb("lava-send", "served")
    open("/tmp/shared/index").read()
else:
    verb("lava-sync", "served")
