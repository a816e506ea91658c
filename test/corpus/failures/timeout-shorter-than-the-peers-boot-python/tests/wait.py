import subprocess
print("waiting for the phone")
subprocess.check_call(["lava-wait", "phone-" + "there"])
