import subprocess
import sys


def collect(message, seconds):
    try:
        subprocess.run(["lava-wait-all", message, "camera"], timeout=seconds, check=True)
    except subprocess.TimeoutExpired:
        print("cameras do not answer", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    if sys.argv[1] == "hub":
        collect("camera-up", 2)
    else:
        subprocess.run(["lava-send", "camera-up", "fps=30"])
    subprocess.run(["lava-sync", "all-cameras"])
