tc() { lava-test-case "$1" --shell "$2"; }
set -e
if [ "$(lava-role)" = a ]; then
  tc collect "lava-wait-all facts peers"
  peer=$(grep -c . /tmp/lava_multi_node_cache.txt)
  echo "$peer facts"
else
  lava-send facts a=1
fi
lava-sync end
