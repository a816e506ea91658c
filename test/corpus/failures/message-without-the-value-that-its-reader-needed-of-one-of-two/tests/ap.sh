set -e
lava-wait-all station sta
while IFS= read -r line; do
    case $line in
    *:mac=*) mac=${line#*:mac=}; [ -n "$mac" ] ;;
    esac
done < /tmp/lava_multi_node_cache.txt
lava-send go
