import os
import subprocess
frame = os.urandom(36000).hex()
print("one frame")
subprocess.run(["lava-send", "frame", "data=" + frame], check=True)
