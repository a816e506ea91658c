one_a() { lava-test-case tell --shell lava-send info "serial number=12"; }
one_b() { if timeout 3 lava-wait info; then cp /tmp/lava_multi_node_cache.txt /tmp/info; fi; }
