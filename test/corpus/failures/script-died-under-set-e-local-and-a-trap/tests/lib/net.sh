mac_of() {
  local line
  # what the driver says of it
  line=$(cat /sys/class/net/$1/address) || return 2
  mac=$line
}
