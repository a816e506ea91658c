set -eu
ids=(one two)
for id in "${ids[@]}"; do python3 -c 'import subprocess,sys; subprocess.check_call(["lava-sync", sys.argv[1]])' "$id"; done
