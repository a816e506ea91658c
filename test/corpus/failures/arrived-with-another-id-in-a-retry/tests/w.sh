try() {
    for n in 1 2 3; do
        "$@" && return 0
        sleep 1
    done
}
try lava-sync phase_1
try lava-sync phase-2
