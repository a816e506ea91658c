import subprocess

word = "leader" + "-" + "ready"
subprocess.run(f"lava-wait {word}", shell=True, check=True)
print("a leader is there")
