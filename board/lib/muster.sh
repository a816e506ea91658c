# shellcheck shell=sh
# What every verb shares: where the server is, one call over the shell dialect, the cache file.
# A verb sets muster_bin (the folder it lies in) and sources this file. All names here begin with
# muster_ (the environment of a test is not ours), because POSIX sh has no local variables.
#
# The wire: POST $MUSTER_URL/board/v1/VERB, one word a line. The reply's first line is a status:
# ok, wait, retry, fail, refused or denied; data lines follow. Every retry of a call carries the
# same Muster-Key, so that nothing counts twice.

set -f # no word of a caller is ever a glob
muster_lf='
'
muster_tab='	'
IFS=" $muster_tab$muster_lf"

muster_name=${0##*/}
muster_cache='' # the cache file that this verb rewrites; empty: none
muster_tmp=''
muster_client_pid=''
muster_watchdog_pid=''

muster_silence_seconds=40       # a silent connection is given up (the server holds a wait for 20 s)
muster_abandon_seconds=3        # the last word of a killed wait
muster_retry_seconds=1          # pause after `retry`
muster_post_data_bytes_max=60000 # one argument of a program is at most 128 KiB

# Prints one line on stderr: what happened, with the verb's name unless it is there already.
muster_say() {
  case $1 in
    '') ;;
    lava-*) printf '%s\n' "$1" >&2 ;;
    *) printf '%s: %s\n' "$muster_name" "$1" >&2 ;;
  esac
}

# Says why, and ends the verb with status 1.
muster_die() {
  muster_say "$1"
  exit 1
}

# Prints how the verb is called, $1 = its words, and ends it with status 1.
muster_usage() {
  printf 'Usage: %s%s\n' "$muster_name" "${1:+ $1}" >&2
  exit 1
}

# Finds where the job lives. Reads its env file when the environment was wiped (env -i lava-self).
# shellcheck disable=SC2154 # the verb has set muster_bin
muster_find_home() {
  if [ -z "${MUSTER_HOME:-}" ]; then
    if [ -f "$muster_bin/../env" ]; then MUSTER_HOME=$muster_bin/..; else MUSTER_HOME=/lava; fi
  fi
  if [ -z "${MUSTER_URL:-}" ] || [ -z "${MUSTER_TOKEN:-}" ]; then
    # shellcheck disable=SC1091
    if [ -r "$MUSTER_HOME/env" ]; then . "$MUSTER_HOME/env"; fi
  fi
}
muster_find_home

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

# Chooses the HTTP client: curl, then GNU wget, then busybox wget, with or without its link.
muster_find_client() {
  if muster_find curl; then
    muster_client=curl
  elif muster_find wget; then
    case $("$muster_found" --version 2>/dev/null </dev/null || :) in
      'GNU Wget'*) muster_client=gnu ;;
      *) muster_client=linked ;;
    esac
  elif muster_find busybox; then
    muster_client=busybox
  elif command -v wget >/dev/null 2>&1; then
    muster_client=applet # a busybox shell that lies in no folder of PATH
  else
    muster_die 'no HTTP client: install curl, wget or busybox'
  fi
  muster_program=$muster_found
}

# Sets muster_key to a key that no other call has, on this board or another.
muster_new_key() {
  muster_key=''
  { IFS= read -r muster_key </proc/sys/kernel/random/uuid; } 2>/dev/null || :
  if [ -z "$muster_key" ]; then
    muster_key=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')
  fi
  [ -n "$muster_key" ] || muster_die 'cannot make a key: no kernel uuid, and od or /dev/urandom is missing'
}

# Sets muster_word to $1 with percent signs and newlines encoded. No fork for an ordinary word.
muster_encode() {
  muster_word=$1
  case $1 in
    *%* | *"$muster_lf"*)
      muster_word=$(printf '%s\n' "$1" | LC_ALL=C sed -e 's/%/%25/g' -e '$!s/$/%0A/' | tr -d '\n')
      [ -n "$muster_word" ] || muster_die 'cannot encode a word: sed or tr is missing'
      ;;
  esac
}

# Writes muster_body into a folder of our own (muster_tmp), where the answer will lie too.
muster_write_request() {
  if [ -n "$muster_tmp" ]; then rm -rf "$muster_tmp"; fi
  for muster_place in "${TMPDIR:-/tmp}" /tmp "$MUSTER_HOME"; do
    muster_tmp=$muster_place/muster.$muster_key
    trap 'rm -rf "$muster_tmp"' EXIT
    if mkdir -m 700 "$muster_tmp" 2>/dev/null &&
      { printf '%s' "$muster_body" >"$muster_tmp/words"; } 2>/dev/null; then
      return 0
    fi
    rm -rf "$muster_tmp" 2>/dev/null || :
  done
  muster_die "cannot write the request in ${TMPDIR:-/tmp}, /tmp or $MUSTER_HOME: no room or no right"
}

# Runs the HTTP client for verb $1, given up after $2 seconds. Replaces its (background) shell.
muster_http() {
  unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
  muster_seconds=$2
  muster_target=${muster_url%/}/board/v1/$1
  set -- "Authorization: Bearer $MUSTER_TOKEN" 'Content-Type: application/x-muster-words' \
    "Muster-Key: $muster_key"
  case $muster_client in
    curl)
      exec "$muster_program" -q -s -f -g --noproxy '*' --connect-timeout 5 -m "$muster_seconds" \
        -H "$1" -H "$2" -H "$3" -H 'Expect:' --data-binary "@$muster_tmp/words" \
        -o "$muster_tmp/reply" "$muster_target"
      ;;
    gnu)
      exec "$muster_program" --no-config --no-proxy -q --tries=1 --max-redirect=0 \
        --timeout="$muster_seconds" --connect-timeout=5 \
        --header="$1" --header="$2" --header="$3" --post-file="$muster_tmp/words" \
        -O "$muster_tmp/reply" "$muster_target"
      ;;
  esac
  set -- -q -O "$muster_tmp/reply" --header "$1" --header "$2" --header "$3"
  # An old busybox has no --post-file; a new one takes a long body only from a file.
  if [ "${#muster_body}" -le "$muster_post_data_bytes_max" ]; then
    set -- "$@" --post-data "$muster_body" "$muster_target"
  else
    set -- "$@" --post-file "$muster_tmp/words" "$muster_target"
  fi
  case $muster_client in
    linked) exec "$muster_program" "$@" ;;
    busybox) exec "$muster_program" wget "$@" ;;
    applet) exec wget "$@" ;;
  esac
}

# Kills the client after $1 seconds, for clients without a limit of their own. It lets go when
# the verb is gone: the number may then be another process's.
muster_watch() {
  (
    # shellcheck disable=SC2016 # the number of the sleep is read when the signal comes
    trap '[ "$!" = "$muster_client_pid" ] || kill -9 "$!"; exit 0' TERM
    sleep "$1" &
    wait "$!"
    if kill -0 $$; then kill -9 "$muster_client_pid"; fi
  ) </dev/null >/dev/null 2>&1 &
  muster_watchdog_pid=$!
}

# Ends the client and its watchdog, if they run.
muster_kill_client() {
  if [ -n "$muster_client_pid" ]; then kill -9 "$muster_client_pid" 2>/dev/null || :; fi
  if [ -n "$muster_watchdog_pid" ]; then kill "$muster_watchdog_pid" 2>/dev/null || :; fi
  muster_client_pid=''
  muster_watchdog_pid=''
}

# One request: verb $1, at most $2 seconds. Status 0 when a whole answer came; then muster_status
# and muster_text hold its first line. The client runs in the background, because a shell hears
# a signal only while it waits, not while a program runs in front of it.
muster_post() {
  muster_status=''
  rm -f "$muster_tmp/reply"
  muster_http "$1" "$2" </dev/null >/dev/null 2>&1 &
  muster_client_pid=$!
  if [ "$muster_client" != curl ]; then muster_watch "$2"; fi
  muster_code=0
  wait "$muster_client_pid" 2>/dev/null || muster_code=$? # a busybox shell would tell of the kill
  muster_client_pid=''
  muster_kill_client
  [ "$muster_code" -eq 0 ] || return 1
  muster_line=''
  { IFS= read -r muster_line <"$muster_tmp/reply"; } 2>/dev/null || return 1
  muster_status=${muster_line%% *}
  muster_text=${muster_line#"$muster_status"}
  muster_text=${muster_text# }
}

# Prints the data lines of the last answer.
muster_data() {
  {
    IFS= read -r muster_line
    cat
  } <"$muster_tmp/reply"
}

# Prints the lines that the cache file is to hold: none unless the wait was released.
muster_cache_lines() {
  if [ "$muster_status" = ok ]; then muster_data; fi
}

# Rewrites the cache file: in one step (a new file, then mv) where its folder allows that, else in
# place. A link or a device stays what it is.
muster_write_cache() {
  muster_new=$muster_cache.$muster_key
  if [ ! -h "$muster_cache" ] && { [ -f "$muster_cache" ] || [ ! -e "$muster_cache" ]; }; then
    if { muster_cache_lines >"$muster_new" && mv -f "$muster_new" "$muster_cache"; } 2>/dev/null; then
      return 0
    fi
    rm -f "$muster_new"
  fi
  { muster_cache_lines >"$muster_cache"; } 2>/dev/null
}

# A signal ends the verb at once: its client, its cache (a killed wait got no data), and a last
# word to the server, so that it does not count us as blocked. Exit status 128 + $1.
muster_on_signal() {
  trap '' HUP INT TERM
  muster_kill_client
  muster_status=killed
  if [ -n "$muster_cache" ]; then muster_write_cache || :; fi
  case $muster_verb in
    wait | wait-all | sync)
      muster_body=$muster_key$muster_lf
      muster_new_key
      muster_write_request
      muster_post abandon "$muster_abandon_seconds" || :
      ;;
  esac
  exit $((128 + $1))
}

# Sleeps $1 seconds so that a signal is heard. A sleep that knows no fractions sleeps one second.
muster_sleep() {
  (sleep "$1" || sleep 1) </dev/null >/dev/null 2>&1 &
  wait $! 2>/dev/null || :
}

# Takes the next URL of the round.
muster_turn() {
  muster_urls="${muster_urls#* }$muster_url "
  muster_url=${muster_urls%% *}
}

# The URL that answered is the first of the next call on this board: a server that hangs would cost
# each of them muster_silence_seconds.
muster_remember_url() {
  [ "$muster_url" != "$muster_first_url" ] || return 0
  muster_first_url=$muster_url
  { printf '%s\n' "$muster_url" >"$MUSTER_HOME/answered"; } 2>/dev/null || :
}

# No answer came: go on to the next URL, and pause after each round of them, longer each time.
muster_next_url() {
  muster_failures=$((muster_failures + 1))
  if [ "$muster_failures" -eq 10 ]; then
    muster_say "no answer from $muster_url; still trying"
  fi
  muster_turn
  if [ $((muster_failures % muster_urls_count)) -eq 0 ]; then
    muster_sleep "$muster_pause_seconds"
    case $muster_pause_seconds in
      0.2) muster_pause_seconds=0.4 ;;
      0.4) muster_pause_seconds=0.8 ;;
      *) muster_pause_seconds=1 ;;
    esac
  fi
}

# Makes a call ready: the servers, the client, the key, the words $@.
muster_prepare() {
  [ -n "${MUSTER_URL:-}" ] || muster_die "MUSTER_URL is not set, and $MUSTER_HOME/env does not say it"
  [ -n "${MUSTER_TOKEN:-}" ] || muster_die "MUSTER_TOKEN is not set, and $MUSTER_HOME/env does not say it"
  muster_find_client
  muster_new_key
  muster_body=''
  for muster_argument in "$@"; do
    muster_encode "$muster_argument"
    muster_body=$muster_body$muster_word$muster_lf
  done
  # shellcheck disable=SC2086 # the list is split on purpose
  set -- $MUSTER_URL
  muster_urls_count=$#
  muster_urls="$* "
  muster_url=$1
  muster_first_url=$1
  { IFS= read -r muster_first_url <"$MUSTER_HOME/answered"; } 2>/dev/null || :
  for muster_argument in "$@"; do
    [ "$muster_url" != "$muster_first_url" ] || break
    muster_turn
  done
  muster_first_url=$muster_url
  muster_pause_seconds=0.2
  muster_failures=0
  muster_told=''
  muster_write_request
}

# One call of verb $1 with words $2.., repeated with one key until the server has decided.
# Status 0: done, muster_data prints what came. Status 1: fail, refused or denied, said on stderr.
muster_call() {
  muster_verb=$1
  shift
  muster_prepare "$@"
  trap 'muster_on_signal 1' HUP
  trap 'muster_on_signal 2' INT
  trap 'muster_on_signal 15' TERM
  while :; do
    if muster_post "$muster_verb" "$muster_silence_seconds"; then
      case $muster_status in
        ok | fail | refused | denied)
          muster_remember_url
          break
          ;;
        wait)
          muster_remember_url
          muster_pause_seconds=0.2
          muster_failures=0
          continue
          ;;
        retry)
          if [ -z "$muster_told" ]; then muster_say "$muster_text; trying again"; fi
          muster_told=yes
          muster_sleep "$muster_retry_seconds"
          continue
          ;;
      esac
    fi
    muster_next_url
  done
  muster_settle
}

# What the last answer means for this board: the cache file, the line on stderr, the status.
muster_settle() {
  if [ -n "$muster_cache" ]; then
    case $muster_status in
      ok | fail) muster_write_cache || muster_status=unwritten ;;
    esac
  fi
  trap - HUP INT TERM
  muster_say "$muster_text"
  if [ "$muster_status" = unwritten ]; then muster_die "cannot write the cache file $muster_cache"; fi
  [ "$muster_status" = ok ]
}
