# shellcheck shell=sh
# shellcheck disable=SC2154 # muster.sh gives muster_tab
# Who is in the group, from the job's env file: nobody comes or goes while a job runs.

# Prints the name of this board.
group_self() {
  [ -n "${MUSTER_DEVICE:-}" ] || muster_read_env || :
  muster_need MUSTER_DEVICE "${MUSTER_DEVICE:-}"
  printf '%s\n' "$MUSTER_DEVICE"
}

# Prints of every member, in lava-group's order, $1 = its role, its name, or both as a line; with $2
# only of those who play that role. Status 1: nobody.
group_each() {
  # Not from the environment: the group of a large lab would not fit there.
  muster_read_env || :
  muster_need MUSTER_GROUP "${MUSTER_GROUP:-}"
  group_status=1
  while IFS=$muster_tab read -r group_name group_role; do
    [ "$group_role" = "${2-"$group_role"}" ] || continue
    group_status=0
    case $1 in
      role) printf '%s\n' "$group_role" ;;
      name) printf '%s\n' "$group_name" ;;
      line) printf '%s\t%s\n' "$group_name" "$group_role" ;;
    esac
  done <<END
$MUSTER_GROUP
END
  return "$group_status"
}
