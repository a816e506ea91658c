step_rx() { lava-sync armed; echo receiving; }
step_tx() { lava-sync armed; echo sending; }
