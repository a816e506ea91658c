set -e
await() {
  local id=$1 most=$2
  timeout "$most" lava-wait "$id"
}
if [ "$(lava-role)" = cam ]; then
  lava-send cam-on
else
  await "cam-on" 2
fi
