#!/bin/sh
# A board of the tests on its serial line: boots, asks for a login, has a shell. How it misbehaves is said by words.
# $@: banner lines are printed as they are; the words are those of the case below.
set -f
stty -echo 2>/dev/null
shell() {
  stty echo 2>/dev/null
  PS1='board# ' exec sh -i
}
login() {
  tries=0
  while :; do
    printf '\nboard login: '
    read -r name || exit 1
    printf 'Password: '
    read -r word || exit 1
    printf '\n'
    [ "$name:$word" != 'root:secret' ] || return 0
    printf 'Login incorrect\n'
  done
}
kernel() { printf '[    0.000000] Linux version 6.1.0-fake (gcc) #1 SMP\r\n[    1.0] booting\r\n'; }
for word in "$@"; do
  case $word in
    kernel) kernel ;;
    loop) while :; do kernel; sleep 0.1; done ;;
    panic) printf '[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n'; sleep 1000 ;;
    login) login ;;
    silent) exec sleep 1000 ;;
    binary) head -c 300000 /dev/urandom; printf '\r\n' ;;
    flood) while :; do echo 'flood flood flood flood flood flood flood flood flood flood flood flood'; done ;;
    lies) # what looks like a prompt and is none: it takes a line and says nothing
      printf 'board# '; read -r line || exit 1; printf 'welcome $ '; read -r line || exit 1 ;;
    waits) read -r line || exit 1 ;;
    uboot)
      printf 'U-Boot 2023.01\r\nHit any key to stop autoboot:  2 '
      stty -icanon; key=$(dd bs=1 count=1 2>/dev/null); stty icanon
      [ "$key" = ' ' ] || { printf 'booting by itself\r\n'; sleep 1000; }
      while :; do
        printf '\r\n=> '
        read -r line || exit 1
        printf 'uboot got: %s\r\n' "$line"
        case $line in *boot*) break ;; esac
      done ;;
    twice) twice=yes ;;
    shell)
      [ -z "${twice:-}" ] || { # everything comes back twice
        PS1='board# ' sh -i 2>&1 | while IFS= read -r line; do printf '%s\n%s\n' "$line" "$line"; done
        exit
      }
      shell ;;
    *) printf '%s\r\n' "$word" ;;
  esac
done
