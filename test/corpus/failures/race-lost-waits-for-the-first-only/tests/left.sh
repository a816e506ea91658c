lava-send report left=3
