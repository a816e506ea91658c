import socket
import subprocess

subprocess.check_call(["lava-sync", "start"])
peer = subprocess.check_output(["lava-group", "server"], text=True).strip()
s = socket.create_connection((peer, 6000))
print(s.recv(10))
subprocess.check_call(["lava-sync", "stop"])
