report() {
  lava-test-case "$1" --result "$2" --measurement "$3" --units packets
}
