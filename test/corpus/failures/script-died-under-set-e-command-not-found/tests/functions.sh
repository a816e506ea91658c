prepare_server() {
  echo "preparing"
  iperf3-of-another-distribution --version
}
prepare_client() {
  echo nothing
}
