import subprocess
import sys
if sys.argv[1] == "a":
    subprocess.check_call(["lava-test-case", "tell", "--shell", "lava-send told two words"])
else:
    subprocess.check_call(["lava-wait", "told"])
