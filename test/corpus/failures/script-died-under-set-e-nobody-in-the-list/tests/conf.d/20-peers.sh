if [ "$(lava-role)" = ctl ]; then mapfile -t peers < <(lava-group mirror); fi
[ "$(lava-role)" != ctl ] || [ "${#peers[@]}" -gt 0 ]
