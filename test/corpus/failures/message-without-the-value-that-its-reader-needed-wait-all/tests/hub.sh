lava-wait-all measured leaf
while IFS= read -r line; do case $line in *:celsius=*) celsius=${line#*=} ;; esac; done < /tmp/lava_multi_node_cache.txt
[ -n "$celsius" ]
lava-sync end
