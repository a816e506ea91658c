import subprocess, time
subprocess.check_call(["lava-wait", "hello"])
time.sleep(4)
table = {}
print(table["answer"])
subprocess.check_call(["lava-send", "answer"])
