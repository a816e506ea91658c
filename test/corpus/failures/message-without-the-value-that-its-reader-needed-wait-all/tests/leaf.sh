echo measured
lava-send measured
lava-sync end
