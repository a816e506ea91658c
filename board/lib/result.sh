# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # the verbs read what is set here; muster.sh gives muster_tab
# Records result cases: over HTTP, or on the console of a board that has no network.

# Whether $1 is a decimal number: digits, a point, a sign, an exponent.
result_is_decimal() {
  result_mantissa=${1#[+-]}
  case $result_mantissa in
    *[eE]*)
      result_exponent=${result_mantissa#*[eE]}
      result_mantissa=${result_mantissa%%[eE]*}
      case ${result_exponent#[+-]} in '' | *[!0-9]*) return 1 ;; esac
      ;;
  esac
  case $result_mantissa in '' | . | *[!0-9.]* | *.*.*) return 1 ;; esac
}

# Sets result_end to how a command with exit status $1 ended, in words.
result_read_status() {
  result_end="status $1"
  [ "$1" -gt 128 ] || return 0
  result_signal=$(kill -l "$1" 2>/dev/null) || :
  case $result_signal in
    [A-Z]*) result_end="status $1, killed by SIG$result_signal" ;;
  esac
}

# Sets result_shell to the shell that runs what a test says: a device type may name it.
result_find_shell() {
  result_shell=${MUSTER_SHELL:-}
  [ -z "$result_shell" ] || return 0
  if [ -x /bin/bash ]; then result_shell=/bin/bash; else result_shell=/bin/sh; fi
}

# Sets result_blank to $1 without blanks round it.
result_trim() {
  result_blank=${1#"${1%%[! "$muster_tab"]*}"}
  result_blank=${result_blank%"${result_blank##*[! "$muster_tab"]}"}
}

# Records case $1 with result $2, measurement $3, units $4 and note $5 (empty: left out), in the open
# test set, and ends this shell: status 1 when it was refused. The line on stdout is for people: it
# is not a signal. What is no number is not lost: it is in the note.
result_record() {
  result_trim "$3"
  result_measurement=$result_blank
  result_note=$5
  if [ -n "$result_measurement" ] && ! result_is_decimal "$result_measurement"; then
    muster_say "$1: the measurement is not a decimal number, it goes to the note: $result_measurement"
    result_note="$result_note${result_note:+, }measurement $result_measurement${4:+ $4}"
    set -- "$1" "$2" '' ''
    result_measurement=''
  fi
  if muster_is_online; then
    result_set=''
    { IFS= read -r result_set <"$MUSTER_HOME/test-set"; } 2>/dev/null || :
    muster_run result "muster: case $1: $2${result_measurement:+ $result_measurement}${4:+ $4}" \
      "case=$1" "result=$2" ${result_set:+"set=$result_set"} \
      ${result_measurement:+"measurement=$result_measurement"} ${4:+"units=$4"} ${result_note:+"note=$result_note"}
  fi
  [ -z "$result_note" ] || printf 'muster: case %s: %s\n' "$1" "$result_note"
  printf '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=%s RESULT=%s%s%s>\n' "$1" "$2" \
    "${4:+ UNITS=$4}" "${result_measurement:+ MEASUREMENT=$result_measurement}"
  exit 0
}

# Ends the verb with status 1 because of $2: the case $1 is kept as unknown, it is not lost.
result_refuse() {
  (result_record "$1" unknown '' '' "$2") || :
  muster_die "$1: $2"
}

# Ends the verb when $2 is none of the results there are.
result_check() {
  case $2 in
    pass | fail | skip | unknown) return 0 ;;
    '') result_refuse "$1" '--result is missing (pass, fail, skip or unknown)' ;;
    *) result_refuse "$1" "--result $2 is not pass, fail, skip or unknown" ;;
  esac
}

# Whether $1 is one of our options: `--measurement $EMPTY --units s` must not take the next for a value.
result_is_option() {
  case $1 in
    --result | --measurement | --units | --output | --reference | --shell | --strict) return 0 ;;
  esac
  return 1
}
