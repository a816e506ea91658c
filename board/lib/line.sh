# shellcheck shell=sh
# shellcheck disable=SC1003,SC2034,SC2154 # muster.sh and call.sh have set the names that are not set here; a backslash is one; parts are read by number
# One call over the console, for a board without a network, or whose network is away. What is sent are frames, each on a
# line of its own, with a sum over all that it says; the other end is dispatcher/transport/ on the worker:
#
#   board   <MUSTER_LINE ID K/N DATA SUM>     part K of N of a call
#           <MUSTER_LINE ID ?K SUM>           have you more for me? I have the parts of the answer before K
#   worker  #MUSTER_LINE:ID:want/K::SUM       send part K and what follows; K is N + 1: I have them all
#           #MUSTER_LINE:ID:K/N:DATA:SUM      part K of N of the answer
#
# Only the board has a clock for what it sends: whatever got lost is asked for again. The key of a call is the same over
# HTTP and here, so that it counts once, whichever way it went and however often.

muster_line_window=8      # parts that are sent before the worker has to say something
muster_line_answers=4     # parts of an answer that the worker sends at once
muster_line_bytes_max=65536 # of a file that is attached
muster_line_slowest=10    # seconds between two questions of a call that waits

# Adds the characters of $1 to the sum (muster_line_a, muster_line_b): 32 bits in all, and no step of it needs more. A
# character counts by its place in this list; the list in dispatcher/transport/frames.ts is the same.
muster_line_add() {
  muster_line_rest=$1
  while [ -n "$muster_line_rest" ]; do
    case $muster_line_rest in
      e*) muster_line_v=1 ;; a*) muster_line_v=2 ;; t*) muster_line_v=3 ;; n*) muster_line_v=4 ;; s*) muster_line_v=5 ;;
      r*) muster_line_v=6 ;; i*) muster_line_v=7 ;; o*) muster_line_v=8 ;; l*) muster_line_v=9 ;; d*) muster_line_v=10 ;;
      0*) muster_line_v=11 ;; 1*) muster_line_v=12 ;; 2*) muster_line_v=13 ;; 3*) muster_line_v=14 ;; 4*) muster_line_v=15 ;;
      5*) muster_line_v=16 ;; 6*) muster_line_v=17 ;; 7*) muster_line_v=18 ;; 8*) muster_line_v=19 ;; 9*) muster_line_v=20 ;;
      b*) muster_line_v=21 ;; c*) muster_line_v=22 ;; f*) muster_line_v=23 ;; g*) muster_line_v=24 ;; h*) muster_line_v=25 ;;
      j*) muster_line_v=26 ;; k*) muster_line_v=27 ;; m*) muster_line_v=28 ;; p*) muster_line_v=29 ;; q*) muster_line_v=30 ;;
      u*) muster_line_v=31 ;; v*) muster_line_v=32 ;; w*) muster_line_v=33 ;; x*) muster_line_v=34 ;; y*) muster_line_v=35 ;;
      z*) muster_line_v=36 ;; /*) muster_line_v=37 ;; -*) muster_line_v=38 ;; _*) muster_line_v=39 ;; .*) muster_line_v=40 ;;
      ,*) muster_line_v=41 ;; +*) muster_line_v=42 ;; =*) muster_line_v=43 ;; :*) muster_line_v=44 ;; %*) muster_line_v=45 ;;
      A*) muster_line_v=46 ;; B*) muster_line_v=47 ;; C*) muster_line_v=48 ;; D*) muster_line_v=49 ;; E*) muster_line_v=50 ;;
      F*) muster_line_v=51 ;; G*) muster_line_v=52 ;; H*) muster_line_v=53 ;; I*) muster_line_v=54 ;; J*) muster_line_v=55 ;;
      K*) muster_line_v=56 ;; L*) muster_line_v=57 ;; M*) muster_line_v=58 ;; N*) muster_line_v=59 ;; O*) muster_line_v=60 ;;
      P*) muster_line_v=61 ;; Q*) muster_line_v=62 ;; R*) muster_line_v=63 ;; S*) muster_line_v=64 ;; T*) muster_line_v=65 ;;
      U*) muster_line_v=66 ;; V*) muster_line_v=67 ;; W*) muster_line_v=68 ;; X*) muster_line_v=69 ;; Y*) muster_line_v=70 ;;
      Z*) muster_line_v=71 ;; '&'*) muster_line_v=72 ;; ';'*) muster_line_v=73 ;; '~'*) muster_line_v=74 ;; '@'*) muster_line_v=75 ;;
      '?'*) muster_line_v=76 ;; '!'*) muster_line_v=77 ;; '"'*) muster_line_v=78 ;; "'"*) muster_line_v=79 ;; '#'*) muster_line_v=80 ;;
      '$'*) muster_line_v=81 ;; '('*) muster_line_v=82 ;; ')'*) muster_line_v=83 ;; '*'*) muster_line_v=84 ;; '['*) muster_line_v=85 ;;
      ']'*) muster_line_v=86 ;; '\'*) muster_line_v=87 ;; '^'*) muster_line_v=88 ;; '`'*) muster_line_v=89 ;; '{'*) muster_line_v=90 ;;
      '|'*) muster_line_v=91 ;; '}'*) muster_line_v=92 ;; ' '*) muster_line_v=93 ;; '<'*) muster_line_v=94 ;; '>'*) muster_line_v=95 ;;
      *) muster_line_v=96 ;;
    esac
    muster_line_a=$(((muster_line_a * 61 + muster_line_v) % 65521))
    muster_line_b=$(((muster_line_b * 97 + muster_line_v) % 65519))
    muster_line_rest=${muster_line_rest#?}
  done
}

# Sets muster_line_sum to the sum of $1 in this job: a frame of another job's console has another one.
muster_line_sum_of() {
  muster_line_a=7 muster_line_b=13
  muster_line_add "$MUSTER_LINE $1"
  muster_line_sum=$muster_line_a.$muster_line_b
}

# Says frame $1. In one write, so that no other line of this board gets into it; the pipe never blocks, and takes nothing
# when nobody carries it on.
muster_line_say() {
  muster_line_sum_of "$1"
  { printf '\n<MUSTER_LINE %s %s>\n' "$1" "$muster_line_sum" 1<>"$MUSTER_HOME/line/out"; } 2>/dev/null || :
}

# Sets muster_line_data to $1 as it goes over the line: what is not plain there is %XX, a blank is + and a newline a comma.
# Status 1: there are bytes in it that only a program can encode.
muster_line_encode() {
  muster_line_data=''
  muster_line_rest=$1
  case $1 in *[!\ -~"$muster_lf"]*) return 1 ;; esac
  while :; do
    muster_line_plain=${muster_line_rest%%[%+,\<\> "$muster_lf"]*}
    muster_line_data=$muster_line_data$muster_line_plain
    muster_line_rest=${muster_line_rest#"$muster_line_plain"}
    case $muster_line_rest in
      '') return 0 ;;
      ' '*) muster_line_data=$muster_line_data+ ;;
      "$muster_lf"*) muster_line_data=$muster_line_data, ;;
      %*) muster_line_data=$muster_line_data%25 ;;
      +*) muster_line_data=$muster_line_data%2B ;;
      ,*) muster_line_data=$muster_line_data%2C ;;
      '<'*) muster_line_data=$muster_line_data%3C ;;
      '>'*) muster_line_data=$muster_line_data%3E ;;
    esac
    muster_line_rest=${muster_line_rest#?}
  done
}

# Prints standard input in base64 without its three characters that mean something here, or each byte as %XX.
muster_line_base64() {
  if [ "$muster_line_coder" = base64 ]; then
    base64 | tr -d '=\n' | tr '+/' '-_'
  else
    od -An -v -tx1 | tr -d '\n' | tr ' ' %
  fi
}

# Makes muster_line_data of the whole call of verb $1. A body that only a program can encode, a file's among them, is marked
# by a star (base64) before the verb.
muster_line_write() {
  muster_line_head=$muster_key$muster_lf${muster_callers:-}$muster_lf
  if [ -z "$muster_upload" ] && muster_line_encode "$1$muster_lf$muster_line_head$muster_body"; then return 0; fi
  muster_line_coder=od muster_line_star=''
  if command -v base64 >/dev/null 2>&1; then muster_line_coder=base64 muster_line_star='*'; fi
  if [ -n "$muster_upload" ]; then
    [ "$(($(wc -c <"$muster_upload")))" -le "$muster_line_bytes_max" ] ||
      muster_die "$muster_upload is too large for the console, which takes files of at most $muster_line_bytes_max bytes"
    muster_line_more=$(muster_line_base64 <"$muster_upload")
  else
    muster_line_more=$(printf '%s' "$muster_body" | muster_line_base64)
  fi
  muster_line_encode "$muster_line_star$1$muster_lf$muster_line_head" ||
    muster_line_encode "$muster_line_star$1$muster_lf$muster_key$muster_lf$muster_lf"
  muster_line_data=$muster_line_data$muster_line_more
}

# Cuts muster_line_data into parts: muster_line_count of them, muster_line_part_1 and so on.
muster_line_cut() {
  muster_line_count=1
  muster_line_part_1=$muster_line_data
  [ "${#muster_line_data}" -gt 250 ] || return 0
  muster_line_count=0
  while IFS= read -r muster_line_part; do
    [ -n "$muster_line_part" ] || continue
    muster_line_count=$((muster_line_count + 1))
    eval "muster_line_part_$muster_line_count=\$muster_line_part"
  done <<END
$(printf '%s\n' "$muster_line_data" | sed -e 's/.\{250\}/&\
/g')
END
}

# Says the parts from muster_line_next on, as many as may be on the way.
muster_line_say_parts() {
  muster_line_at=$muster_line_next
  while [ "$muster_line_at" -le "$muster_line_count" ] &&
    [ "$muster_line_at" -lt $((muster_line_next + muster_line_window)) ]; do
    eval "muster_line_part=\$muster_line_part_$muster_line_at"
    muster_line_say "$muster_line_id $muster_line_at/$muster_line_count $muster_line_part"
    muster_line_at=$((muster_line_at + 1))
  done
}

# Says what is to be said now: parts that the worker does not have, else a question for its answer.
muster_line_speak() {
  if [ "$muster_line_next" -le "$muster_line_count" ]; then
    muster_line_say_parts
  else
    muster_line_say "$muster_line_id ?$((muster_line_have + 1))"
  fi
}

# Waits for a line of the worker, at most $1 seconds, or so: muster_line_heard, empty when none came. Not every shell reads
# with a limit; those that do not get a line from a clock.
muster_line_hear() {
  muster_line_heard=''
  if [ -n "$muster_line_reads_with_limit" ]; then
    # shellcheck disable=SC3045 # looked at before
    IFS= read -r -t "$1" muster_line_heard <&9 || muster_line_heard=''
    return 0
  fi
  if [ -z "$muster_watchdog_pid" ]; then
    (
      # shellcheck disable=SC2016 # the number of the sleep is read when the signal comes
      trap 'kill "$!"; exit 0' TERM
      sleep "$1" &
      wait "$!"
      # The verb may be gone: then the pipe is nobody's.
      if kill -0 $$; then printf 'tick\n' >&9; fi
    ) </dev/null >/dev/null 2>&1 &
    muster_watchdog_pid=$!
  fi
  IFS= read -r muster_line_heard <&9 || muster_line_heard=''
  if [ "$muster_line_heard" = tick ]; then muster_line_heard='' muster_watchdog_pid=''; fi
}

# Takes one line of the worker, without its mark. Status 0: it brought this call on.
muster_line_take() {
  muster_line_text=${1%"$muster_cr"}
  muster_line_said=${muster_line_text##*:}
  muster_line_text=${muster_line_text%:"$muster_line_said"}
  muster_line_sum_of "$muster_line_text"
  [ "$muster_line_sum" = "$muster_line_said" ] || return 1
  muster_line_silent=0
  muster_line_text=${muster_line_text#"$muster_line_id:"}
  muster_line_kind=${muster_line_text%%:*}
  muster_line_text=${muster_line_text#"$muster_line_kind:"}
  case $muster_line_kind in
    want/*)
      # Less than it had: it has forgotten, and begins anew.
      [ "$muster_line_next" -ne "${muster_line_kind#want/}" ] || return 1
      muster_line_next=${muster_line_kind#want/}
      [ "$muster_line_next" -gt "$muster_line_count" ] || muster_line_speak
      ;;
    *)
      muster_line_next=$((muster_line_count + 1))
      [ "${muster_line_kind%/*}" -eq $((muster_line_have + 1)) ] || return 1
      muster_line_have=$((muster_line_have + 1))
      muster_line_total=${muster_line_kind#*/}
      muster_line_answer=$muster_line_answer$muster_line_text
      if [ "$muster_line_have" -lt "$muster_line_total" ] &&
        [ $((muster_line_have % muster_line_answers)) -eq 0 ]; then
        muster_line_speak
      fi
      ;;
  esac
}

# Sets muster_line_v to the hexadecimal digit with which muster_line_rest begins.
muster_line_digit() {
  case $muster_line_rest in
    0*) muster_line_v=0 ;; 1*) muster_line_v=1 ;; 2*) muster_line_v=2 ;; 3*) muster_line_v=3 ;; 4*) muster_line_v=4 ;;
    5*) muster_line_v=5 ;; 6*) muster_line_v=6 ;; 7*) muster_line_v=7 ;; 8*) muster_line_v=8 ;; 9*) muster_line_v=9 ;;
    A*) muster_line_v=10 ;; B*) muster_line_v=11 ;; C*) muster_line_v=12 ;; D*) muster_line_v=13 ;; E*) muster_line_v=14 ;;
    *) muster_line_v=15 ;;
  esac
}

# Sets muster_reply to what muster_line_answer says.
muster_line_decode() {
  muster_reply=''
  muster_line_rest=$muster_line_answer
  muster_line_is_octal=''
  while :; do
    muster_line_plain=${muster_line_rest%%[%+,]*}
    muster_reply=$muster_reply$muster_line_plain
    muster_line_rest=${muster_line_rest#"$muster_line_plain"}
    case $muster_line_rest in
      '') break ;;
      +*) muster_reply="$muster_reply " ;;
      ,*) muster_reply=$muster_reply$muster_lf ;;
      %3D*) muster_reply=$muster_reply= muster_line_rest=${muster_line_rest#??} ;;
      *)
        muster_line_rest=${muster_line_rest#?}
        muster_line_digit
        muster_line_a=$muster_line_v
        muster_line_rest=${muster_line_rest#?}
        muster_line_digit
        muster_line_v=$((muster_line_a * 16 + muster_line_v))
        muster_reply="$muster_reply\\0$((muster_line_v / 64))$((muster_line_v / 8 % 8))$((muster_line_v % 8))"
        muster_line_is_octal=yes
        ;;
    esac
    muster_line_rest=${muster_line_rest#?}
  done
  [ -z "$muster_line_is_octal" ] || muster_reply=$(printf '%b' "$muster_reply")
  muster_reply=${muster_reply%"$muster_lf"}
}

# Makes the pipe into which this board's reader puts what comes for this call, as descriptor 9.
muster_line_open() {
  muster_remove_files # of a call that this one ends
  muster_line_id=${muster_key%"${muster_key#?????????????}"}
  muster_line_pipe=$MUSTER_HOME/line/$muster_line_id
  trap muster_remove_files EXIT
  muster_cr=$(printf '\r')
  [ -p "$muster_line_pipe" ] || (umask 0 && mkfifo "$muster_line_pipe") 2>/dev/null || return 1
  { exec 9<>"$muster_line_pipe"; } 2>/dev/null || return 1
  muster_line_reads_with_limit=yes
  # shellcheck disable=SC3045 # that is what is looked at
  IFS= read -r -t 1 muster_line_heard </dev/null 2>/dev/null || [ $? -ne 2 ] || muster_line_reads_with_limit=''
}

# One request over the line: verb $1, given up when the worker has said nothing for $2 seconds. Status and answer are those
# of muster_post.
muster_line_post() {
  muster_line_open || return 1
  # Characters are bytes from here on.
  LC_ALL=C
  muster_line_write "$1"
  muster_line_cut
  muster_line_next=1 muster_line_have=0 muster_line_total=1 muster_line_answer=''
  muster_line_pause=1
  muster_line_silent=0
  muster_line_speak
  while [ "$muster_line_have" -lt "$muster_line_total" ]; do
    muster_line_hear "$muster_line_pause"
    if [ -n "$muster_line_heard" ]; then
      if muster_line_take "$muster_line_heard"; then
        muster_line_pause=1
        # It has the whole call: it will say how it ends.
        if [ "$muster_line_next" -gt "$muster_line_count" ]; then muster_line_pause=$muster_line_slowest; fi
      fi
      continue
    fi
    muster_line_silent=$((muster_line_silent + muster_line_pause))
    [ "$muster_line_silent" -lt "$2" ] || break
    muster_line_speak
    if [ "$muster_line_pause" -lt 8 ]; then muster_line_pause=$((muster_line_pause * 2)); fi
  done
  muster_kill_client # the clock
  exec 9>&-
  muster_remove_files
  [ "$muster_line_have" -eq "$muster_line_total" ] || return 1
  muster_line_say "$muster_line_id ?$((muster_line_have + 1))"
  muster_line_decode
  muster_read_reply
}
