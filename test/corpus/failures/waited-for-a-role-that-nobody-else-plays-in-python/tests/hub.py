import subprocess

roles = ["leafs"]
subprocess.check_call(["lava-wait-all", "armed", roles[0]])
subprocess.check_call(["lava-send", "go"])
