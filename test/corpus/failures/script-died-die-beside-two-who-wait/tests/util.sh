log() { echo "[$(lava-self)] $*"; }
die() {
    log "FATAL: $*" >&2
    exit 3
}
