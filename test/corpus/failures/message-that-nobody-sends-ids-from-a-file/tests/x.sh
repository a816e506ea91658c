if [ "$(lava-role)" = a ]; then
  lava-send stage-1
else
  xargs -n1 lava-wait < ids.txt
fi
