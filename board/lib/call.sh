# shellcheck shell=sh
# shellcheck disable=SC2153,SC2154 # muster.sh, or quick.bash, has set the names that are not set here
# One call over the shell dialect, whatever happens on the way: retries, several servers, signals,
# the cache file. muster.sh reads it where the board has no bash, quick.bash when its first try was
# not simply answered.
#
# The wire: POST $MUSTER_URL/board/v1/VERB, one word a line. The reply's first line is a status:
# ok, wait, retry, fail, refused or denied; data lines follow. Every retry of a call carries the
# same Muster-Key, so that nothing counts twice.

muster_connect_seconds=5         # a connection that nobody answers is given up
muster_abandon_seconds=3         # the last word of a killed wait
muster_retry_seconds=1           # pause after `retry`
muster_rounds_before_line=5      # in vain, before a board with a network speaks over its console
muster_post_data_bytes_max=60000 # one argument of a program is at most 128 KiB

muster_client=''       # tcp (bash itself), curl, gnu, linked, busybox or applet
muster_is_checked=''   # whether the client was found to be what its name says
muster_file=''         # where a request and its answer lie, if they need files
muster_client_pid=''
muster_watchdog_pid=''
muster_line_pipe=''       # where a call over the console hears its answer

# Chooses the HTTP client, the lightest first, but not $1. What it really is, is looked at when it
# has failed: a look costs as much as a call.
muster_find_client() {
  if [ "${1:-}" != busybox ] && muster_find busybox; then
    muster_client=busybox
  elif muster_find wget; then
    muster_client=gnu
  elif muster_find curl; then
    muster_client=curl
  elif command -v wget >/dev/null 2>&1; then
    muster_client=applet # a busybox shell that lies in no folder of PATH
  else
    muster_die 'no HTTP client: install bash, curl, wget or busybox'
  fi
  muster_program=$muster_found
}

# After a first failure: is the client what it was taken for? Status 1: it was not, and is another now.
muster_check_client() {
  [ -z "$muster_is_checked" ] || return 0
  muster_is_checked=yes
  case $muster_client in
    tcp)
      muster_tcp_is_there && return 0
      muster_find_client
      return 1
      ;;
    busybox)
      "$muster_program" wget --help >/dev/null 2>&1 </dev/null && return 0
      muster_is_checked=''
      muster_find_client busybox
      return 1
      ;;
    gnu)
      case $("$muster_program" --version 2>/dev/null </dev/null || :) in
        'GNU Wget'*) return 0 ;;
      esac
      muster_client=linked
      return 1
      ;;
  esac
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

# Makes muster_body of the words $@.
muster_write_body() {
  muster_body=''
  for muster_argument in "$@"; do
    muster_encode "$muster_argument"
    muster_body=$muster_body$muster_word$muster_lf
  done
}

# Finds a place for the files of the request with muster_key (muster_file, and its answer beside it),
# and writes muster_body there.
muster_need_files() {
  case $muster_file in *"/muster.$muster_key") return 0 ;; esac
  muster_remove_files
  for muster_place in "${TMPDIR:-/tmp}" /tmp "$MUSTER_HOME"; do
    muster_file=$muster_place/muster.$muster_key
    trap muster_remove_files EXIT
    if (umask 077 && set -C && printf '%s' "$muster_body" >"$muster_file") 2>/dev/null; then
      return 0
    fi
    muster_remove_files
  done
  muster_die "cannot write the request in ${TMPDIR:-/tmp}, /tmp or $MUSTER_HOME: no room or no right"
}

muster_remove_files() {
  [ -z "$muster_file" ] || rm -f "$muster_file" "$muster_file.reply" 2>/dev/null || :
  [ -z "$muster_line_pipe" ] || rm -f "$muster_line_pipe" 2>/dev/null || :
  muster_file='' muster_line_pipe=''
}

# Runs the HTTP client for verb $1, given up after $2 seconds, the answer into file $3 (-: stdout).
# Replaces its shell.
muster_http() {
  unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
  umask 077
  muster_seconds=$2
  muster_target=${muster_url%/}/board/v1/$1
  muster_into=$3
  # The body lies in a file when it is one, or too long for a word: an old busybox has no --post-file.
  muster_from=$muster_upload
  if [ "${#muster_body}" -gt "$muster_post_data_bytes_max" ]; then muster_from=$muster_file; fi
  muster_type=application/x-muster-words
  if [ -n "$muster_upload" ]; then muster_type=application/octet-stream; fi
  # An empty value is as good as no header.
  set -- "Authorization: Bearer $MUSTER_TOKEN" "Content-Type: $muster_type" "Muster-Key: $muster_key" \
    "Muster-From: ${muster_callers:-}"
  case $muster_client in
    curl)
      set -- -q -s -f -g --noproxy '*' --connect-timeout "$muster_connect_seconds" -m "$muster_seconds" \
        -H "$1" -H "$2" -H "$3" -H "$4" -H 'Expect:' -o "$muster_into"
      if [ -n "$muster_upload" ]; then set -- "$@" -X PUT; fi
      if [ -n "$muster_from" ]; then
        exec "$muster_program" "$@" --data-binary "@$muster_from" "$muster_target"
      fi
      # curl would take a first @ for the name of a file.
      case $muster_body in @*) muster_body=%40${muster_body#@} ;; esac
      exec "$muster_program" "$@" --data-binary "$muster_body" "$muster_target"
      ;;
    gnu)
      set -- --no-config --no-proxy -q --tries=1 --max-redirect=0 \
        --timeout="$muster_seconds" --connect-timeout="$muster_connect_seconds" \
        --header="$1" --header="$2" --header="$3" --header="$4" -O "$muster_into"
      ;;
    *)
      # Without -T: that of Debian 12 dies of it.
      set -- -q -O "$muster_into" --header "$1" --header "$2" --header "$3" --header "$4"
      ;;
  esac
  case $muster_client,$muster_from in
    *,) set -- "$@" --post-data="$muster_body" "$muster_target" ;;
    gnu,"$muster_upload") set -- "$@" --method=PUT --body-file="$muster_from" "$muster_target" ;;
    *) set -- "$@" --post-file="$muster_from" "$muster_target" ;; # busybox knows no PUT
  esac
  case $muster_client in
    gnu | linked) exec "$muster_program" "$@" ;;
    busybox) exec "$muster_program" wget "$@" ;;
    applet) exec wget "$@" ;;
  esac
}

# Kills the client after $1 seconds, or when it has no connection by then, for clients without limits of their own. It lets
# go when the verb is gone: the number may then be another process's.
muster_watch() {
  (
    # shellcheck disable=SC2016 # the number of the sleep is read when the signal comes
    trap '[ "$!" = "$muster_client_pid" ] || kill -9 "$!"; exit 0' TERM
    if [ "$1" -gt "$muster_connect_seconds" ]; then
      sleep "$muster_connect_seconds" &
      wait "$!"
      if ! muster_is_connecting; then
        sleep $(($1 - muster_connect_seconds)) &
        wait "$!"
      fi
    else
      sleep "$1" &
      wait "$!"
    fi
    if kill -0 $$; then kill -9 "$muster_client_pid"; fi
  ) </dev/null >/dev/null 2>&1 &
  muster_watchdog_pid=$!
}

# Whether a connection to the port of muster_url is still being made on this board, as the kernel tells it (its state is 02).
muster_is_connecting() {
  muster_port=${muster_url#*://}
  muster_port=${muster_port%%/*}
  muster_port=${muster_port##*:}
  case $muster_url,$muster_port in
    https:*,*[!0-9]*) muster_port=443 ;;
    *,*[!0-9]*) muster_port=80 ;;
  esac
  muster_port=$(printf %04X "$muster_port")
  for muster_argument in /proc/net/tcp /proc/net/tcp6; do
    while read -r _ _ muster_rest muster_word _; do
      case $muster_rest,$muster_word in *:"$muster_port,02") return 0 ;; esac
    done <"$muster_argument"
  done 2>/dev/null
  return 1
}

# Ends the client and its watchdog, if they run.
muster_kill_client() {
  if [ -n "$muster_client_pid" ]; then kill -9 "$muster_client_pid" 2>/dev/null || :; fi
  if [ -n "$muster_watchdog_pid" ]; then kill "$muster_watchdog_pid" 2>/dev/null || :; fi
  muster_client_pid=''
  muster_watchdog_pid=''
}

# One request: verb $1, at most $2 seconds. Status 0 when a whole answer came; then muster_reply
# holds it, and muster_status and muster_text its first line.
muster_post() {
  muster_status='' muster_text='' muster_reply=''
  case $muster_client,$muster_url in
    *,line:)
      if [ -z "${muster_line_window:-}" ]; then
        # shellcheck source=board/lib/line.sh
        . "${muster_lib:-$muster_bin/../lib}/line.sh"
      fi
      muster_line_post "$1" "$2"
      return
      ;;
    tcp,http://*)
      muster_tcp "$1" "$2"
      return
      ;;
    tcp,*) muster_find_client ;;
    ,*) muster_find_client ;;
  esac
  case $muster_client in busybox | linked | applet) muster_refuse_nul ;; esac
  case $1,$muster_client in
    wait,* | wait-all,* | sync,* | *,busybox | *,linked | *,applet) muster_post_watched "$1" "$2" ;;
    *)
      [ "${#muster_body}" -le "$muster_post_data_bytes_max" ] || muster_need_files
      muster_reply=$(muster_http "$1" "$2" - 2>/dev/null </dev/null) || return 1
      muster_read_reply
      ;;
  esac
}

# The wget of a busybox ends a body at its first NUL.
muster_refuse_nul() {
  [ -n "$muster_upload" ] || return 0
  [ "$(tr -d '\000' <"$muster_upload" | wc -c)" -ne "$(wc -c <"$muster_upload")" ] || return 0
  muster_die "cannot attach $muster_upload: it has NUL bytes, and the wget of this board cannot send them"
}

# The same with a client in the background, because a shell hears a signal only while it waits, not
# while a program runs in front of it. Its answer goes through a file.
muster_post_watched() {
  muster_need_files
  muster_http "$1" "$2" "$muster_file.reply" </dev/null >/dev/null 2>&1 &
  muster_client_pid=$!
  case $muster_client in
    curl | gnu) ;;
    *) muster_watch "$2" ;;
  esac
  muster_code=0
  wait "$muster_client_pid" 2>/dev/null || muster_code=$? # a busybox shell would tell of the kill
  muster_client_pid=''
  muster_kill_client
  [ "$muster_code" -eq 0 ] || return 1
  { IFS= read -r muster_reply <"$muster_file.reply"; } 2>/dev/null || return 1
  if [ -n "$muster_cache" ]; then muster_reply=$(cat "$muster_file.reply"); fi
  muster_read_reply
}

# Takes the first line of muster_reply apart.
muster_read_reply() {
  muster_first=${muster_reply%%"$muster_lf"*}
  muster_status=${muster_first%% *}
  muster_text=${muster_first#"$muster_status"}
  muster_text=${muster_text# }
  [ -n "$muster_status" ]
}

# Prints the lines that the cache file is to hold: the data of the answer, none unless it is ok.
muster_cache_lines() {
  [ "$muster_status" = ok ] || return 0
  case $muster_reply in
    *"$muster_lf"*) printf '%s\n' "${muster_reply#*"$muster_lf"}" ;;
  esac
}

# Rewrites the cache file: in one step (a new file, then mv) where its folder allows that, else in
# place. A link or a device stays what it is. Other users of the board may rewrite it, too.
muster_write_cache() {
  muster_new=$muster_cache.$muster_key
  if [ ! -h "$muster_cache" ] && { [ -f "$muster_cache" ] || [ ! -e "$muster_cache" ]; }; then
    if (umask 0 && muster_cache_lines >"$muster_new" && exec mv -f "$muster_new" "$muster_cache") \
      2>/dev/null; then
      return 0
    fi
    rm -f "$muster_new" 2>/dev/null || :
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
      muster_write_body "$muster_key"
      muster_new_key
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

# Makes the round of servers ready. It begins with the one that answered last on this board.
muster_read_servers() {
  # shellcheck disable=SC2086 # the list is split on purpose
  set -- ${MUSTER_URL:-}
  muster_tries=$(($# * muster_rounds_before_line))
  if muster_has_line; then
    muster_has_network || set --
    set -- "$@" line:
  fi
  [ $# -gt 1 ] || muster_tries=0
  muster_urls_count=$#
  muster_urls="$* "
  muster_url=$1
  muster_first_url=$1
  muster_failures=0
  muster_pause_seconds=0.2
  muster_told=''
  [ $# -gt 1 ] || return 0
  { IFS= read -r muster_first_url <"$MUSTER_HOME/answered"; } 2>/dev/null || :
  if [ "$muster_first_url" = line: ]; then
    muster_tries=0
    # One call in sixteen looks whether the network is back.
    case $muster_key in 0*) return 0 ;; esac
  fi
  for muster_argument in "$@"; do
    [ "$muster_url" != "$muster_first_url" ] || break
    muster_turn
  done
  muster_first_url=$muster_url
}

# Takes the next URL of the round.
muster_turn() {
  muster_urls="${muster_urls#* }$muster_url "
  muster_url=${muster_urls%% *}
}

# The same after a failure. The console, line:, is the last resort: a server that starts anew is waited for.
muster_turn_away() {
  muster_turn
  if [ "$muster_url" = line: ] && [ "$muster_failures" -lt "$muster_tries" ]; then muster_turn; fi
}

# The URL that answered is the first of the next call on this board: a server that hangs would cost
# each of them muster_silence_seconds.
muster_remember_url() {
  [ "$muster_url" != "$muster_first_url" ] || return 0
  muster_first_url=$muster_url
  { printf '%s\n' "$muster_url" >"$MUSTER_HOME/answered"; } 2>/dev/null || :
}

# Whether the last try ended by its own limits. Whoever starts anew refuses; who says nothing is away, and his network too.
muster_was_silence() {
  [ "$muster_took" -ge "$muster_silence_seconds" ] ||
    { [ "$muster_took" -ge "$muster_connect_seconds" ] && [ "$muster_took" -le $((muster_connect_seconds + 3)) ]; }
}

# No answer came: go on to the next URL, and pause after each round of them, longer each time. Silence counts as all the
# tries that a URL has.
muster_next_url() {
  muster_check_client || return 0
  muster_before=$muster_failures
  muster_failures=$((muster_failures + 1))
  if muster_was_silence; then muster_failures=$((muster_before + muster_rounds_before_line)); fi
  if [ "$muster_before" -lt 10 ] && [ "$muster_failures" -ge 10 ]; then
    muster_say "no answer from $muster_url; still trying"
  fi
  muster_turn_away
  if [ $((muster_failures % muster_urls_count)) -eq 0 ]; then
    muster_sleep "$muster_pause_seconds"
    case $muster_pause_seconds in
      0.2) muster_pause_seconds=0.4 ;;
      0.4) muster_pause_seconds=0.8 ;;
      *) muster_pause_seconds=1 ;;
    esac
  fi
}

# Whether the server has decided. If not, does what is to be done before the next try.
muster_is_decided() {
  case $muster_status in
    ok | fail | refused | denied) muster_remember_url ;;
    wait)
      muster_remember_url
      muster_pause_seconds=0.2
      muster_failures=0
      return 1
      ;;
    retry)
      if [ -z "$muster_told" ]; then muster_say "$muster_text; trying again"; fi
      muster_told=yes
      muster_sleep "$muster_retry_seconds"
      return 1
      ;;
    *)
      muster_next_url
      return 1
      ;;
  esac
}

muster_hear_signals() {
  trap 'muster_on_signal 1' HUP
  trap 'muster_on_signal 2' INT
  trap 'muster_on_signal 15' TERM
}

# What muster_verb needs besides its words $@: muster_cache, the file that it rewrites, or muster_upload,
# the file whose bytes are the body.
muster_read_verb() {
  muster_cache='' muster_upload=''
  case $muster_verb in
    wait | wait-all) muster_cache=${LAVA_MULTI_NODE_CACHE:-/tmp/lava_multi_node_cache.txt} ;;
    attachment*) muster_upload=$1 ;;
  esac
}

# Sets muster_callers to who called, as quick.bash does where there is bash: here without what their shells have read, and
# with one fork a program.
muster_read_callers() {
  muster_callers=''
  case $muster_name in lava-test-runner) return 0 ;; esac
  muster_caller=$PPID
  while [ "$muster_caller" -gt 1 ] && [ "${#muster_callers}" -lt 1500 ]; do
    muster_words=$(exec tr '\n\000' ' \n' <"/proc/$muster_caller/cmdline") || return 0
    case $muster_words in '' | *lava-test-runner*) return 0 ;; esac
    muster_frame='~' muster_left=16
    while IFS= read -r muster_argument && [ "$muster_left" -gt 0 ]; do
      case $muster_argument in
        *[!A-Za-z0-9_./:=,@^-]*)
          muster_argument=$(printf '%.200s' "$muster_argument" |
            LC_ALL=C sed -e 's/%/%25/g' -e 's/&/%26/g' -e 's/;/%3B/g' -e 's/+/%2B/g' -e 's/ /+/g' |
            LC_ALL=C tr -c '!-~\n' '?')
          ;;
        *) [ "${#muster_argument}" -le 200 ] || muster_argument=$(printf '%.200s' "$muster_argument") ;;
      esac
      case $muster_frame in '~') ;; *) muster_frame="$muster_frame&" ;; esac
      muster_frame=$muster_frame$muster_argument
      muster_left=$((muster_left - 1))
    done <<END
$muster_words
END
    muster_callers=$muster_callers${muster_callers:+;}$muster_frame
    IFS= read -r muster_words <"/proc/$muster_caller/stat" || return 0
    muster_words=${muster_words##*) }
    muster_words=${muster_words#* }
    muster_caller=${muster_words%% *}
  done
} 2>/dev/null

# Calls muster_verb with words $@, from the beginning. What is no wait has a client in front of it at
# its first try: a signal then ends both.
muster_call() {
  muster_read_verb "$@"
  muster_new_key
  muster_read_servers
  muster_read_callers
  muster_write_body "$@"
  case $muster_verb in wait | wait-all | sync) muster_hear_signals ;; esac
  muster_try
  muster_go_on
}

# One try; muster_took is how many seconds it took, 0 where the kernel does not tell the time.
muster_try() {
  muster_read_clock
  muster_took=$muster_clock
  muster_post "$muster_verb" "$muster_silence_seconds" || muster_status=''
  muster_read_clock
  muster_took=$((muster_clock - muster_took))
}

muster_read_clock() {
  muster_clock=0
  { read -r muster_clock muster_rest </proc/uptime; } 2>/dev/null || :
  muster_clock=${muster_clock%%.*}
}

# Goes on after a try that ended with muster_status (empty: no answer) until the server has decided.
# What it means for this board: the cache file, the line on stderr, the status.
muster_go_on() {
  muster_hear_signals
  until muster_is_decided; do muster_try; done
  if [ -n "$muster_cache" ]; then
    case $muster_status in
      ok | fail) muster_write_cache || muster_status=unwritten ;;
    esac
  fi
  trap - HUP INT TERM
  muster_say "$muster_text"
  if [ "$muster_status" = unwritten ]; then muster_die "cannot write the cache file $muster_cache"; fi
  [ "$muster_status" = ok ] || exit 1
  [ -z "$muster_line" ] || printf '%s\n' "$muster_line" 2>/dev/null || :
  exit 0
}
