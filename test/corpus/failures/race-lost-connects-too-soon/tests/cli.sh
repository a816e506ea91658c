set -e
lava-wait up
srv=$(lava-group srv)
python3 get.py "$srv" 7007
lava-test-case get --result pass
