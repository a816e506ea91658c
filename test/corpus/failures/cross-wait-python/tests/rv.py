import subprocess
import sys
me = sys.argv[1]
other = {"left": "right", "right": "left"}[me]
subprocess.check_call(["lava-wait", f"{other}-open"])
subprocess.check_call(["lava-send", f"{me}-open"])
