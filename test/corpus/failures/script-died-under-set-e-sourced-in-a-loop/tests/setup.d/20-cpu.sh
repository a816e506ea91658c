if [ "$(lava-role)" = ref ]; then
    # needs the reference core
    grep -q 'Cortex-A57-ref' /proc/cpuinfo
    echo "reference core found"
fi
