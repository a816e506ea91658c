if [ "$(lava-role)" = hub ]; then
    python3 hub.py hub
else
    lava-send camera-up fps=30
    lava-sync all-cameras
fi
