# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # call.sh and quick.bash set and read the names of a call
# The connection of bash itself, for whatever may come: a server that is not there, several of them,
# answers in chunks. call.sh uses it as it uses a client of HTTP; quick.bash is its short form.

# Whether this bash was built with /dev/tcp: else it looks for a file of that name.
muster_tcp_is_there() {
  case $( (exec 3<>/dev/tcp/127.0.0.1/1) 2>&1) in
    *'No such file'*) return 1 ;;
  esac
}

# One request: verb $1, at most $2 seconds of silence. Status 0 when a whole answer came; then
# muster_reply holds it, and muster_status and muster_text its first line.
muster_tcp() {
  local verb=$1 part='' length
  muster_raw='' muster_status='' muster_text='' muster_reply=''
  muster_tcp_open || return 1
  {
    if [ -n "$muster_upload" ]; then
      length=$(wc -c <"$muster_upload")
      muster_tcp_head PUT application/octet-stream "$((length))"
      cat <"$muster_upload"
    else
      muster_tcp_head POST application/x-muster-words "${#muster_body}"
      printf '%s' "$muster_body"
    fi
  } 2>/dev/null >&3
  while IFS= read -r -N 65536 -t "$2" -u 3 part; do muster_raw+=$part; done
  muster_raw+=$part
  exec 3>&-
  muster_tcp_parse
}

# Prints the head of a request with method $1 and a body of type $2 and of $3 bytes. Reads the name
# of the verb from its caller.
muster_tcp_head() {
  local authority=${muster_url#http://} place
  authority=${authority%%/*}
  place=${muster_url#"http://$authority"}
  printf '%s %s/board/v1/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nMuster-Key: %s\r\n%sContent-Length: %s\r\nConnection: close\r\n\r\n' \
    "$1" "${place%/}" "$verb" "$authority" "$MUSTER_TOKEN" "$2" "$muster_key" \
    "${muster_callers:+Muster-From: $muster_callers$'\r\n'}" "$3"
}

# Takes muster_raw, all that came, apart: into muster_reply, muster_status and muster_text. Status 1: it is no
# whole answer. One without a length cannot be known to be whole.
muster_tcp_parse() {
  local head=${muster_raw%%$'\r\n\r\n'*} line length='' is_chunked=''
  [ "${#head}" -lt "${#muster_raw}" ] || return 1
  muster_reply=${muster_raw:${#head}+4}
  case $head in 'HTTP/1.'[01]' 200 '* | 'HTTP/1.'[01]$' 200\r'*) ;; *) return 1 ;; esac
  while [ -n "$head" ]; do
    line=${head%%$'\r\n'*}
    head=${head:${#line}+2}
    case ${line,,} in
      content-length:*) length=${line#*:} length=${length//[ $'\t']/} ;;
      transfer-encoding:*chunked*) is_chunked=yes ;;
    esac
  done
  if [ -n "$is_chunked" ]; then
    muster_tcp_join || return 1
  else
    [ "$length" = "${#muster_reply}" ] || return 1
  fi
  muster_reply=${muster_reply%$'\n'}
  muster_read_reply
}

# Joins the chunks of muster_reply. Status 1: the last one did not come.
muster_tcp_join() {
  local rest=$muster_reply size
  muster_reply=''
  while [[ $rest =~ ^([0-9A-Fa-f]{1,7})[^$'\n']*$'\r\n' ]]; do
    size=$((16#${BASH_REMATCH[1]}))
    rest=${rest:${#BASH_REMATCH[0]}}
    if ((size == 0)); then
      case $'\r\n'$rest in *$'\r\n\r\n') return 0 ;; *) return 1 ;; esac
    fi
    [ "${rest:size:2}" = $'\r\n' ] || return 1
    muster_reply+=${rest:0:size}
    rest=${rest:size+2}
  done
  return 1
}
