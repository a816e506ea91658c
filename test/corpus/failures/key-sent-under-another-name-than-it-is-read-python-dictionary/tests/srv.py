import subprocess
subprocess.check_call(["lava-send", "where", "Host=10.0.0.9", "user=root"])
subprocess.check_call(["lava-wait", "seen"])
