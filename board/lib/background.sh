# shellcheck shell=sh
# shellcheck disable=SC2034 # the two verbs read what is set here
# Processes of a test that run beside its steps.

# Sets background_name, and background_file where the process of that name is kept. Status 1: $1 is no name.
background_find() {
  case $1 in '' | */*) return 1 ;; esac
  background_name=$1
  background_file=${LAVA_RESULT_DIR:-/tmp}/background-$1.pid
}

# Runs command line $2 in shell $1, and again a second after each end, until SIGTERM. The command has
# a session of its own where the board can give it one, so that all of it ends.
background_run() {
  background_pid=''
  trap 'background_end' HUP INT TERM
  command -v sleep >/dev/null 2>&1 || muster_die 'sleep is missing: what ends at once would run without a pause'
  while :; do
    if command -v setsid >/dev/null 2>&1; then
      setsid "$1" -c "$2" &
    else
      "$1" -c "$2" &
    fi
    background_pid=$!
    wait "$background_pid" || :
    sleep 1 &
    background_pid=$!
    wait "$background_pid" || :
  done
}

background_end() {
  trap '' HUP INT TERM
  kill -- "-$background_pid" 2>/dev/null || kill "$background_pid" 2>/dev/null || :
  exit 0
}
