# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # lava-network reads the results; muster.sh gives muster_found
# Reads what a board knows of its own network: with ip or ifconfig, from the distribution or from
# busybox. Results are in interface_* variables; what is not known is empty.

# Chooses the program that knows interfaces: ip before ifconfig, PATH before the sbin folders, which
# the PATH of an ordinary user leaves out. Sets interface_kind, interface_program, interface_applet.
# Status 1: there is none.
interface_find_tool() {
  for interface_path in "${PATH:-}" /sbin:/usr/sbin; do
    interface_applet=''
    for interface_kind in ip ifconfig; do
      if muster_find "$interface_kind" "$interface_path"; then
        interface_program=$muster_found
        return 0
      fi
    done
    if muster_find busybox "$interface_path"; then
      interface_program=$muster_found
      for interface_kind in ip ifconfig; do
        interface_applet=$interface_kind
        case $interface_kind in
          ip) interface_tool link show >/dev/null 2>&1 && return 0 ;;
          ifconfig) interface_tool >/dev/null 2>&1 && return 0 ;;
        esac
      done
    fi
  done
  interface_why='cannot read interfaces: install ip (iproute2) or ifconfig (net-tools), or busybox'
  return 1
}

# Runs the chosen program with words $@.
interface_tool() {
  if [ -n "$interface_applet" ]; then
    LC_ALL=C "$interface_program" "$interface_applet" "$@"
  else
    LC_ALL=C "$interface_program" "$@"
  fi
}

# Sets interface_netmask to the dotted mask of prefix length $1.
interface_mask_of() {
  interface_bits=$1
  interface_netmask=''
  for interface_part in 1 2 3 4; do
    if [ "$interface_bits" -ge 8 ]; then
      interface_octet=255
    elif [ "$interface_bits" -le 0 ]; then
      interface_octet=0
    else
      interface_octet=$((256 - (1 << (8 - interface_bits))))
    fi
    interface_bits=$((interface_bits - 8))
    interface_netmask=$interface_netmask${interface_netmask:+.}$interface_octet
  done
}

# Reads an `inet` line: "A/24 brd B", "A netmask M broadcast B" or "addr:A Bcast:B Mask:M".
interface_read_ipv4() {
  interface_ipv4=${2#addr:}
  while [ $# -gt 1 ]; do
    shift
    case $1 in
      [0-9]*/*) if [ -z "$interface_netmask" ]; then interface_mask_of "${1#*/}"; fi ;;
      brd | broadcast) interface_broadcast=${2:-} ;;
      netmask) interface_netmask=${2:-} ;;
      Bcast:*) interface_broadcast=${1#Bcast:} ;;
      Mask:*) interface_netmask=${1#Mask:} ;;
    esac
  done
  interface_ipv4=${interface_ipv4%%/*}
}

# Reads an `inet6` line. The first global address counts, else the first of any scope.
interface_read_ipv6() {
  interface_address=$2
  if [ "$2" = addr: ]; then interface_address=${3:-}; fi
  case $* in
    *'scope global'* | *'Scope:Global'* | *'<global>'*)
      if [ -z "$interface_global" ]; then interface_ipv6=${interface_address%%/*}; fi
      interface_global=yes
      ;;
    *) if [ -z "$interface_ipv6" ]; then interface_ipv6=${interface_address%%/*}; fi ;;
  esac
}

# Reads one line, split into words, of `ip addr show` or `ifconfig`.
interface_read_line() {
  case ${1:-} in
    inet) if [ -z "$interface_ipv4" ]; then interface_read_ipv4 "$@"; fi ;;
    inet6) interface_read_ipv6 "$@" ;;
    link/ether | ether) interface_mac=$2 ;;
    *)
      case $* in
        *HWaddr\ *)
          interface_mac=$*
          interface_mac=${interface_mac##*HWaddr }
          interface_mac=$(printf '%s' "${interface_mac%% *}" | tr 'A-F' 'a-f')
          ;;
      esac
      ;;
  esac
}

# Reads interface $1: interface_ipv4, _netmask, _broadcast, _ipv6, _mac. Status 1: interface_why not.
interface_read() {
  interface_ipv4='' interface_netmask='' interface_broadcast=''
  interface_ipv6='' interface_global='' interface_mac=''
  interface_find_tool || return 1
  interface_why="no interface $1 on this board"
  case $1 in '' | -*) return 1 ;; esac # a name, never an option of the program
  case $interface_kind in
    ip) interface_text=$(interface_tool addr show dev "$1" 2>/dev/null) || return 1 ;;
    ifconfig) interface_text=$(interface_tool "$1" 2>/dev/null) || return 1 ;;
  esac
  while IFS= read -r interface_line; do
    # shellcheck disable=SC2086 # the words of the line
    interface_read_line $interface_line
  done <<END
$interface_text
END
}

# Reads the interface of the default route, or the first one with an address that is not loopback.
interface_read_own() {
  interface_ipv4='' interface_mac=''
  for interface_name in $(interface_candidates); do
    interface_read "$interface_name" || continue
    case $interface_ipv4 in '' | 127.*) interface_ipv4='' ;; *) return 0 ;; esac
  done
  interface_mac=''
}

# Prints the names of interfaces: that of the default route first. The kernel's table has no names of
# its own for what is no route, so the others come from /sys.
interface_candidates() {
  while read -r interface_word interface_to interface_rest; do
    if [ "$interface_to" = 00000000 ]; then printf '%s\n' "$interface_word"; fi
  done 2>/dev/null </proc/net/route
  (
    set +f
    for interface_word in /sys/class/net/*; do
      case ${interface_word##*/} in lo | '*') ;; *) printf '%s\n' "${interface_word##*/}" ;; esac
    done
  )
}

# Takes a gateway from one line, split into words, of `ip route` or `route -n`, for interface
# $1; interface_gateway keeps the first one of that interface, else the first of any.
interface_read_route() {
  interface_wanted=$1
  shift
  interface_via='' interface_dev=''
  case ${1:-} in
    default)
      while [ $# -gt 1 ]; do
        case $1 in
          via) interface_via=$2 ;;
          dev) interface_dev=$2 ;;
        esac
        shift
      done
      ;;
    0.0.0.0)
      interface_via=${2:-}
      shift $(($# - 1))
      interface_dev=$1
      ;;
  esac
  case $interface_via in '' | 0.0.0.0) return 0 ;; esac
  if [ "$interface_dev" = "$interface_wanted" ] && [ -z "$interface_exact" ]; then
    interface_exact=yes
    interface_gateway=$interface_via
  elif [ -z "$interface_gateway" ]; then
    interface_gateway=$interface_via
  fi
}

# Sets interface_gateway: the default gateway, that of interface $1 before others.
interface_read_gateway() {
  interface_gateway='' interface_exact='' interface_text=''
  case $interface_kind in
    ip) interface_text=$(interface_tool route show 2>/dev/null) || : ;;
    ifconfig)
      if [ -n "$interface_applet" ]; then
        interface_text=$("$interface_program" route -n 2>/dev/null) || :
      elif muster_find route || muster_find route /sbin:/usr/sbin; then
        interface_text=$("$muster_found" -n 2>/dev/null) || :
      fi
      ;;
  esac
  while IFS= read -r interface_line; do
    # shellcheck disable=SC2086 # the words of the line
    interface_read_route "$1" $interface_line
  done <<END
$interface_text
END
}

# Sets interface_hostname, and interface_fqdn to what `hostname -f` says (empty: nothing useful).
interface_read_names() {
  interface_hostname='' interface_fqdn=''
  { IFS= read -r interface_hostname </proc/sys/kernel/hostname; } 2>/dev/null ||
    interface_hostname=$(uname -n)
  interface_bound='' # a resolver that is not there can take a minute
  if muster_find timeout; then interface_bound="timeout 5"; fi
  if muster_find hostname; then
    # shellcheck disable=SC2086 # two words or none
    interface_fqdn=$($interface_bound hostname -f 2>/dev/null) || interface_fqdn=''
  elif muster_find busybox; then
    # shellcheck disable=SC2086 # two words or none
    interface_fqdn=$($interface_bound busybox hostname -f 2>/dev/null) || interface_fqdn=''
  fi
  case $interface_fqdn in localhost | localhost.*) interface_fqdn='' ;; esac
}
