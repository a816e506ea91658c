# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2317 # call.sh reads what is set here; traps call functions
# The first try of a call in bash, which opens the connection itself: no program, no file, no fork.
# Words: the folder lib, the name of the verb for people, seconds of silence, then those of muster_run
# (muster.sh). It knows one server, and an answer in one piece; whatever else comes goes on in call.sh,
# with the same key. Each line here is read by each verb.

set +o posix
set -f
muster_connect_seconds=5 # as in call.sh
muster_lib=$1 muster_name=$2 muster_silence_seconds=$3 muster_verb=$4 muster_line=$5
shift 5
muster_status='' muster_text='' muster_raw='' muster_part='' muster_callers='' muster_key=''

muster_read_rest() {
  local name=$muster_name seconds=$muster_silence_seconds
  # shellcheck source=board/lib/muster.sh
  . "$muster_lib/muster.sh"
  # shellcheck source=board/lib/call.sh
  . "$muster_lib/call.sh"
  # shellcheck source=board/lib/tcp.bash
  . "$muster_lib/tcp.bash"
  muster_name=$name muster_silence_seconds=$seconds muster_client=tcp
  [ -n "$muster_key" ] || muster_new_key
  muster_read_servers
}

muster_leave() {
  trap '' HUP INT TERM
  muster_read_rest
  muster_read_verb ''
  muster_on_signal "$1"
}
trap 'muster_leave 1' HUP
trap 'muster_leave 2' INT
trap 'muster_leave 15' TERM
trap '' PIPE

muster_body=''
for muster_word; do
  case $muster_word in
    *[%$'\n']*) muster_word=${muster_word//%/%25} muster_word=${muster_word//$'\n'/%0A} ;;
  esac
  muster_body+=$muster_word$'\n'
done

# Sets muster_callers to who called: each program on the way to the runner of the suites, as the kernel tells it, with how
# many bytes of its script a bash has read (it reads no further than the command that it runs).
muster_read_callers() {
  local LC_ALL=C pid=$PPID frame word name value read
  local -a argv
  while ((pid > 1 && ${#muster_callers} < 1500)); do
    mapfile -d '' -t argv <"/proc/$pid/cmdline" || return
    case ${argv[*]} in '' | *lava-test-runner*) return ;; esac
    read='' frame=''
    for word in "${argv[@]:0:16}"; do
      word=${word:0:200}
      case $word in
        *[!A-Za-z0-9_./:=,@^-]*) muster_escape "$word" ;;
      esac
      frame+="&$word"
    done
    while read -r name value; do
      [ "$name" != pos: ] || read=$value
    done <"/proc/$pid/fdinfo/255"
    muster_callers+=${muster_callers:+;}$read~${frame#&}
    read -r value <"/proc/$pid/stat" || return
    value=${value##*) }
    value=${value#* }
    pid=${value%% *}
  done
}

# Sets the word of muster_read_callers to $1 with every byte that is not plain encoded.
muster_escape() {
  local at byte
  word=''
  for ((at = 0; at < ${#1}; at++)); do
    case ${1:at:1} in
      [A-Za-z0-9_./:=,@^-]) word+=${1:at:1} ;;
      ' ') word+=+ ;;
      *)
        printf -v byte '%d' "'${1:at:1}"
        printf -v byte '%%%02X' "$((byte & 255))"
        word+=$byte
        ;;
    esac
  done
}

# Opens muster_url as descriptor 3, in muster_connect_seconds at most: a connection to nowhere would
# keep bash for minutes. The watcher has no program: it listens to a socket that nobody speaks to.
muster_tcp_open() {
  local authority=${muster_url#http://} host port watcher
  authority=${authority%%/*}
  case $authority in
    \[*\]:*) port=${authority##*:} host=${authority%:*} ;;
    \[*) port=80 host=$authority ;;
    *:*) port=${authority##*:} host=${authority%:*} ;;
    *) port=80 host=$authority ;;
  esac
  host=${host#\[} host=${host%\]}
  trap : ALRM
  {
    exec 4<>"/dev/udp/$host/$port"
    (
      trap - HUP INT TERM
      read -r -t "$muster_connect_seconds" -u 4 || (($? <= 128)) || kill -ALRM $$
    ) &
    watcher=$!
    exec 4>&- 3<>"/dev/tcp/$host/$port" || watcher="$watcher failed"
    kill "${watcher% failed}"
  } 2>/dev/null </dev/null
  case $watcher in *failed) return 1 ;; esac
}

{
  muster_read_callers
  read -r muster_key </proc/sys/kernel/random/uuid
  [ -z "$MUSTER_LINE" ] || read -r muster_part <"$MUSTER_HOME/answered"
  case $muster_key,$MUSTER_URL$muster_verb,$muster_part in
    ,* | *[\ \	\[@]* | *,line:) ;; # no kernel's uuid, several servers, IPv6, a network that is away
    *attachment*) ;;
    *,http://*:*)
      muster_url=$MUSTER_URL muster_place=${MUSTER_URL#http://}
      muster_host=${muster_place%%/*} muster_place=${muster_place#"${muster_place%%/*}"}
      if [ -n "$MUSTER_LINE" ]; then
        muster_tcp_open
      else
        # Alone on its list, this server is the only one there is to wait for: nobody watches over the clock.
        exec 3<>"/dev/tcp/${muster_host%:*}/${muster_host##*:}"
      fi && {
        printf 'POST %s/board/v1/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-muster-words\r\nMuster-Key: %s\r\n%sContent-Length: %s\r\nConnection: close\r\n\r\n%s' \
          "${muster_place%/}" "$muster_verb" "$muster_host" "$MUSTER_TOKEN" "$muster_key" \
          "${muster_callers:+Muster-From: $muster_callers$'\r\n'}" "${#muster_body}" \
          "$muster_body" >&3
        while IFS= read -r -N 65536 -t "$muster_silence_seconds" -u 3 muster_part; do muster_raw+=$muster_part; done
        muster_raw+=$muster_part
        exec 3>&-
      }
      ;;
  esac
} 2>/dev/null
muster_head=${muster_raw%%$'\r\n\r\n'*}$'\r'
muster_reply=${muster_raw:${#muster_head}+3}
case $muster_head in
  'HTTP/1.1 200 '*$'\n'[Cc]ontent-[Ll]ength:\ "${#muster_reply}"$'\r'*)
    muster_reply=${muster_reply%$'\n'}
    muster_head=${muster_reply%%$'\n'*}
    muster_status=${muster_head%% *} muster_text=${muster_head#"$muster_status"} muster_text=${muster_text# }
    ;;
esac
case $muster_status,$muster_text,$muster_verb in
  ok,,wait | ok,,wait-all) ;;
  ok,,*)
    [ -z "$muster_line" ] || printf '%s\n' "$muster_line" 2>/dev/null
    exit 0
    ;;
esac
muster_took=$SECONDS
muster_read_rest
muster_read_verb "$@"
if [ -z "$muster_status" ] && ! muster_tcp_parse && ! muster_was_silence; then muster_try; fi
muster_go_on
