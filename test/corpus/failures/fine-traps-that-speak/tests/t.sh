#!/bin/bash
cleanup() { echo "ERROR: nothing to clean" >&2; rm /tmp/not-there-$$ ; return 0; }
trap cleanup EXIT
trap 'echo caught; got=1' USR1
kill -USR1 $$
lava-send "hello-$(lava-self)" got=$got
for m in $(lava-group | cut -f1); do
    test "$m" = "$(lava-self)" || lava-wait "hello-$m"
done
lava-sync bye
exit 0
