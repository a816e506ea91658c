# shellcheck shell=sh
# Records one result case and tells the reader of the console, for lava-test-case and the runner.

# Records case $1 with result $2, measurement $3, units $4 and note $5 (empty: left out), in the
# open test set. The line on stdout is for people: it is not a signal.
result_record() {
  result_line="muster: case $1: $2${3:+ $3}${4:+ $4}"
  result_set=''
  { IFS= read -r result_set <"$MUSTER_HOME/test-set"; } 2>/dev/null || :
  muster_call result "case=$1" "result=$2" ${result_set:+"set=$result_set"} \
    ${3:+"measurement=$3"} ${4:+"units=$4"} ${5:+"note=$5"} || return 1
  printf '%s\n' "$result_line"
}
