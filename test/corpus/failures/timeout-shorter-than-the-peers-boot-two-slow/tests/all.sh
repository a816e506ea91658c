together() {
  for one in "$@"; do
    lava-sync "all-$one"
  done
}
