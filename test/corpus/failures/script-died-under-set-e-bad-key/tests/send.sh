key="my key"
lava-send address "$key=1"
