import subprocess
subprocess.call(["lava-send", "big", "data=" + "z" * 70000])
subprocess.check_call(["lava-send", "small", "prt=1"])
subprocess.check_call(["lava-sync", "said"])
