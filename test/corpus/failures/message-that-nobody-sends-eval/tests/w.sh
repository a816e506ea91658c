#!/bin/bash
set -e
case `lava-role` in
  worker) lava-send "job-started" n=1; lava-sync fin ;;
  watcher)
    for e in started finished; do
      eval "lava-wait job-$e"
    done
    lava-sync fin ;;
esac
