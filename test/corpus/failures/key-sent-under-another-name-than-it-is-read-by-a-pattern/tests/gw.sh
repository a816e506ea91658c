lava-send gateway address=10.1.1.1 mtu=1400
lava-wait reached
