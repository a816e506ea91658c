hold() {
  local what=$1
  echo "holding for $what"
  lava-wait "$what"
}
step_of() {
  case "$1" in
    alpha) hold beta.done; lava-send alpha.done ;;
    beta) hold alpha.done; lava-send beta.done ;;
  esac
}
