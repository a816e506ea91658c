set -e
BEFORE_n1=n3
BEFORE_n2=n1
BEFORE_n3=n2
me=$(lava-role)
eval "before=\$BEFORE_$me"
lava-wait-all "token.$before" "$before"
lava-send "token.$me"
