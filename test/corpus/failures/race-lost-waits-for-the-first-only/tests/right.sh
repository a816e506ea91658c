sleep 4
lava-send report right=4
