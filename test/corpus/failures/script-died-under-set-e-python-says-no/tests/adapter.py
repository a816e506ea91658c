import sys

def adapter(role):
    return None if role == "rig" else role

if not adapter(sys.argv[1]):
    sys.exit("no adapter")
