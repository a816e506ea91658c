bail() {
  lava-test-raise "$1"
}
precheck() {
  [ "$1" = server ] || bail "no network here"
}
