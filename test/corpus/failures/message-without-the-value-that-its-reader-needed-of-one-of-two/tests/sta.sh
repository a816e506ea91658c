lava-send station mac=$(cat /sys/class/net/wlan0/address 2>/dev/null) name=$(lava-self)
lava-wait go
