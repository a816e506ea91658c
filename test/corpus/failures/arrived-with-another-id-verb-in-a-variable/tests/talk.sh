#!/bin/bash
set -eu
declare -A verb=([server]=send [client]=wait)
me=$(lava-role)
topic=dhcp-lease
[ "$me" = client ] || topic=dhcp_leases
cmd="lava-${verb[$me]}"
$cmd "$topic"
