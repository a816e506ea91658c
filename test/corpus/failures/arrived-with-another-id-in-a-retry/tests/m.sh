lava-sync phase_1
lava-sync phase_2
