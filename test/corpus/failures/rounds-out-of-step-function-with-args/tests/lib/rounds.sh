barrier() { lava-sync "$1" || return 1; }
each_round() {
  for r in $(seq "$1"); do
    [ "$2$r" = left4 ] && continue
    barrier loop
  done
}
