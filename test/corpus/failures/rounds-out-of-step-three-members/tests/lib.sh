run_rounds() {
  case $1 in early) last=1 ;; *) last=3 ;; esac
  round=0
  while [ "$round" -lt "$last" ]; do
    round=$((round + 1))
    lava-sync tick
  done
}
