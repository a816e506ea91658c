lava-wait hello-B
