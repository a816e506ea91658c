# shellcheck shell=sh
# shellcheck disable=SC2034 # the runner reads what is set here
# The console of a board while its tests run: one process reads what is typed there and gives each line to whom it is for,
# another one prints what verbs say over it (line.sh). LAVA's own scripts read the answers to their calls from their
# standard input.

# Opens them; standard input and output are the console.
ears_open() {
  ears_folder=$MUSTER_HOME/line
  ears_reader='' ears_printer=''
  [ -n "${MUSTER_LINE:-}" ] || return 0
  # Whether the network is back is found out anew.
  { IFS= read -r ears_name <"$MUSTER_HOME/answered"; } 2>/dev/null || :
  if [ "${ears_name:-}" = line: ]; then runner_open answered; fi
  (
    umask 0
    mkdir -p "$ears_folder" && cd "$ears_folder" || exit
    for ears_name in in out; do
      [ -p "$ears_name" ] || mkfifo "$ears_name"
    done
  ) 2>/dev/null || return 0
  # A script that signals its whole process group does not mean these.
  (
    trap '' HUP INT TERM
    exec cat
  ) <>"$ears_folder/out" &
  ears_printer=$!
  # A process in the background has no input but what is given to it by another number.
  exec 3<&0
  (
    trap '' HUP INT TERM
    exec 4<>"$ears_folder/in"
    ears_listen
  ) <&3 3<&- &
  ears_reader=$!
  exec 3<&-
  # Two that read one console tear its lines apart: whoever starts the console's shell anew ends this one first.
  printf '%s\n' "$ears_reader" >"$ears_folder/reader"
}

# Reads the console's lines. What a worker that came back types again for the shell of the console is done already.
ears_listen() {
  while IFS= read -r ears_line; do
    case $ears_line in
      *'#MUSTER_LINE:'*)
        ears_line=${ears_line##*'#MUSTER_LINE:'}
        ears_call=$ears_folder/${ears_line%%:*}
        case ${ears_line%%:*} in
          '' | *[!0-9a-f-]*) ;;
          *) if [ -p "$ears_call" ]; then printf '%s\n' "$ears_line" 1<>"$ears_call"; fi ;;
        esac
        ;;
      *'<LAVA_'*) printf '%s\n' "$ears_line" >&4 ;;
    esac
  done 2>/dev/null
}

# Closes them: what is typed from now on is for the shell of the console. What verbs in the background say is heard again
# when the next tests run.
ears_close() {
  [ -z "$ears_reader" ] || : >"$ears_folder/reader"
  for ears_process in $ears_reader $ears_printer; do
    kill -9 "$ears_process" && wait "$ears_process"
  done 2>/dev/null
  ears_reader='' ears_printer=''
  return 0
}

# Sets runner_input to what the steps of suite folder $1 read: nothing, or the answers that LAVA's own scripts wait for,
# where the suite has those, or its board.
ears_find_input() {
  runner_input=/dev/null
  [ -n "$ears_reader" ] || return 0
  if ears_has_upstream "$1"; then runner_input=$ears_folder/in; fi
}

ears_has_upstream() {
  [ ! -f "${LAVA_TEST_BIN:-}/lava-multi-node.lib" ] || return 0
  ! muster_find lava-multi-node.lib || return 0
  for ears_name in commands run.sh install.sh; do
    [ -f "$1/$ears_name" ] || continue
    while IFS= read -r ears_line || [ -n "$ears_line" ]; do
      case $ears_line in *LAVA_TEST_BIN* | *lava-multi-node.lib*) return 0 ;; esac
    done <"$1/$ears_name"
  done
  [ -n "$(find "$1/tests" -name lava-multi-node.lib 2>/dev/null)" ]
}
