import subprocess
import sys

if sys.argv[1] != "idle":
    subprocess.check_call(["lava-sync", "lined-up"])
print("through")
