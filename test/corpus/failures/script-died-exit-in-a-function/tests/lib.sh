die() {
  echo "$1"
  exit 7
}
check_all() {
  [ "$1" = server ] || die "no license"
}
