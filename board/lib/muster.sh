# shellcheck shell=sh
# What every verb shares: where the job lives, how it speaks to people, and the way to the server.
# A verb sets muster_bin (the folder it lies in) and sources this file. All names here begin with
# muster_ (the environment of a test is not ours), because POSIX sh has no local variables.
#
# It is short on purpose: each verb of a board reads it. What a call needs beyond it lies in
# quick.bash where the board has bash, else in call.sh.

set -f # no word of a caller is ever a glob
muster_lf='
'
muster_tab='	'
IFS=" $muster_tab$muster_lf"
muster_name=${0##*/}
muster_silence_seconds=40 # a silent connection is given up (the server holds a wait for 20 s)

# Prints one line on stderr: what happened, with the verb's name unless it is there already. A
# board whose caller closed stderr is not told.
muster_say() {
  case $1 in
    '') ;;
    lava-*) printf '%s\n' "$1" >&2 || : ;;
    *) printf '%s: %s\n' "$muster_name" "$1" >&2 || : ;;
  esac
}

# Says why, and ends the verb with status 1.
muster_die() {
  muster_say "$1"
  exit 1
}

# Prints how the verb is called, $1 = its words, and ends it with status 1.
muster_usage() {
  printf 'Usage: %s%s\n' "$muster_name" "${1:+ $1}" >&2 || :
  exit 1
}

# Reads the job's env file, which the dispatcher laid: the server, the token, the group.
# Status 1: there is none, or this user may not read it.
muster_read_env() {
  # shellcheck disable=SC1091
  if [ -r "$MUSTER_HOME/env" ]; then . "$MUSTER_HOME/env"; else return 1; fi
}

# Finds where the job lives. Reads its env file when the environment was wiped (env -i lava-self).
# shellcheck disable=SC2154 # the verb has set muster_bin
muster_find_home() {
  if [ -z "${MUSTER_HOME:-}" ]; then
    if [ -f "$muster_bin/../env" ]; then MUSTER_HOME=$muster_bin/..; else MUSTER_HOME=/lava; fi
  fi
  if [ -z "${MUSTER_URL:-}" ] || [ -z "${MUSTER_TOKEN:-}" ]; then muster_read_env || :; fi
  export MUSTER_HOME
}
muster_find_home

# Ends the verb when the variable $1 with value $2 is not known: says where it should have been.
muster_need() {
  [ -z "$2" ] || return 0
  if [ -e "$MUSTER_HOME/env" ] && [ ! -r "$MUSTER_HOME/env" ]; then
    muster_die "$1 is not set, and this user may not read $MUSTER_HOME/env: run the verb as the one who runs the steps, or keep the environment (sudo -E)"
  fi
  muster_die "$1 is not set, and $MUSTER_HOME/env does not say it"
}

# Sets muster_found to the file of program $1 in the folders $2 (default: PATH). It looks at the
# files itself: a busybox shell would name its own applet and hide a GNU wget.
muster_find() {
  muster_rest=${2:-${PATH:-}}:
  while [ -n "$muster_rest" ]; do
    muster_found=${muster_rest%%:*}/$1
    muster_rest=${muster_rest#*:}
    if [ -f "$muster_found" ] && [ -x "$muster_found" ]; then return 0; fi
  done
  return 1
}

# Whether somebody at the other end of the console listens to frames (line.sh).
muster_has_line() {
  [ -n "${MUSTER_LINE:-}" ] && [ -p "$MUSTER_HOME/line/out" ]
}

# Whether this board can speak to the server: one that cannot reports by signals on its console.
muster_is_online() {
  muster_has_line || muster_has_network
}

# Whether there is somebody to ask by HTTP, and a program that can.
muster_has_network() {
  [ -n "${MUSTER_URL:-}" ] || return 1
  for muster_word in bash curl wget busybox; do
    if command -v "$muster_word" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

# One call of verb $1 with words $3.., repeated with one key until the server has decided; $2 is
# printed when it is done. Ends this shell: status 0: done; 1: failed, refused or denied, and said.
# bash opens the connection itself, and its start is a third of that of an HTTP client.
muster_run() {
  muster_has_line || muster_need MUSTER_URL "${MUSTER_URL:-}"
  muster_need MUSTER_TOKEN "${MUSTER_TOKEN:-}"
  if [ -n "${MUSTER_URL:-}" ] && command -v bash >/dev/null 2>&1; then
    muster_leave_lost_folder
    # The locale: bytes are counted, and the files of a language are not read.
    LC_ALL=C exec bash -p "$muster_bin/../lib/quick.bash" \
      "$muster_bin/../lib" "$muster_name" "$muster_silence_seconds" "$@"
  fi
  # shellcheck source=board/lib/call.sh
  . "$muster_bin/../lib/call.sh"
  muster_line=$2
  muster_verb=$1
  shift 2
  muster_call "$@"
}

# A shell that starts in a folder that is gone says so. Nothing of a call is relative to it.
muster_leave_lost_folder() {
  # shellcheck disable=SC3013 # dash and busybox sh know -ef
  case $muster_bin,${LAVA_MULTI_NODE_CACHE:-/} in
    /*,/*) if ! [ . -ef "${PWD:-}" ]; then cd / || :; fi ;;
  esac
}
