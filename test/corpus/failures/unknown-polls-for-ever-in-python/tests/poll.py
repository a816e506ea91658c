import os
import subprocess
import time
while not os.path.exists("/dev/ttyUSB7"):
    time.sleep(0.5)
subprocess.check_call(["lava-send", "attached"])
