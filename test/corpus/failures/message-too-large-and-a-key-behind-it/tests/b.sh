lava-sync said
lava-wait big
