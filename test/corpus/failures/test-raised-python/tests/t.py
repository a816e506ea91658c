import subprocess
import sys

def need(ok, why):
    if not ok:
        subprocess.call(["lava-test-raise", why])

need(sys.argv[1] != "dut", "no link on port 3")
subprocess.check_call(["lava-sync", "linked"])
