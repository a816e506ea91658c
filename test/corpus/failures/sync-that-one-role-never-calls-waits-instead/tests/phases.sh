for phase in flash boot; do
  if [ "$(lava-role)" = server ]; then
    lava-sync "phase-$phase"
  else
    lava-wait "phase-$phase"
  fi
done
