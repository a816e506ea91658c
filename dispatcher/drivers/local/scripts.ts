/**
 * The sh scripts with which a `local` board starts. They are text in the code, so that there is nothing to install
 * beside it; variables are set by quoted assignments in front of them. The worker's own programs run them.
 *
 * Three stages: *launch* (outside: the console's appender and the namespaces), *setup* (inside, still with the
 * worker's root: mounts and network), *init* (pid 1 of the board, on its own root: keeps a shell on the console).
 * File descriptor 3 is a socket to the dispatcher: setup says its pid there and waits for the word to go on. When
 * the dispatcher dies meanwhile, the socket closes, and a half-made board ends by itself.
 */
import { END_READER, PUMP } from '../console-pump.ts';

/** Needs: volume, processes (a cgroup, or empty), and what `PUMP` needs. $@: the program of the board. */
export const LAUNCH = `
if [ -n "$processes" ]; then echo 0 >"$processes/cgroup.procs" || exit 1; fi
cd "$volume" || exit 1
${PUMP}`;

/** What a root in a board may not do: it would reach the worker's machine, or undo the board's walls. */
export const CAPABILITIES_KEPT =
  '-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_broadcast,' +
  '+net_admin,+net_raw,+ipc_lock,+ipc_owner,+sys_chroot,+sys_ptrace,+sys_nice,+sys_resource,+sys_tty_config,' +
  '+lease,+audit_write,+setfcap';

/**
 * Needs: volume, data (the server's data folder), device, home, lower (a path from the volume on, or /), masked
 * (yes: hide the data folder), scratch (bytes of each file system in memory), pids (a limit for the namespace, or empty), capabilities, mark, network, job, hosts;
 * and the function host_mounts.
 */
export const SETUP = `
set -eu
read -r pid rest </proc/self/stat
printf '%s\\n' "$pid" >&3
echo "$device" >/proc/sys/kernel/hostname
cd "$volume"
mkdir -p root upper work share
mount -t overlay -o "nodev,lowerdir=$lower,upperdir=upper,workdir=work" muster-root root
root=$volume/root
host_mounts
for folder in proc sys dev run tmp; do
  [ ! -h "$root/$folder" ] || rm "$root/$folder"
  mkdir -p "$root/$folder"
done
if [ "$masked" = yes ] && [ -d "$root$data" ]; then
  mount -t tmpfs -o ro,mode=700,size=4k muster-masked "$root$data"
fi

mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
if [ -n "$pids" ]; then echo "$pids" >"$root/proc/sys/kernel/pid_max"; fi
mount --bind "$root/proc/sys" "$root/proc/sys"
[ ! -d "$root/proc/sys/net" ] || mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
for entry in sysrq-trigger irq bus fs; do
  [ ! -e "$root/proc/$entry" ] || mount --bind -o ro "$root/proc/$entry" "$root/proc/$entry"
done
for entry in kcore keys timer_list; do
  [ ! -e "$root/proc/$entry" ] || mount --bind /dev/null "$root/proc/$entry"
done
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys" 2>/dev/null || :
mount -t tmpfs -o "nosuid,nodev,mode=1777,size=$scratch" muster-tmp "$root/tmp"
mount -t tmpfs -o nosuid,nodev,mode=755,size=64m muster-run "$root/run"
mkdir -m 1777 "$root/run/lock"

mount -t tmpfs -o nosuid,mode=755,size=1m muster-dev "$root/dev"
for node in 'null 3' 'zero 5' 'full 7' 'random 8' 'urandom 9'; do
  mknod -m 666 "$root/dev/\${node% *}" c 1 "\${node#* }"
done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o "nosuid,nodev,mode=1777,size=$scratch" muster-shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

[ ! -h "$root$home" ] || rm "$root$home"
mkdir -p "$root$home"
mount --bind share "$root$home"
if [ -h "$root/lava" ] || [ ! -e "$root/lava" ]; then ln -sfn "\${home#/}" "$root/lava"; fi

read -r go <&3
exec 3>&-
printf '%s' "$network" | ip -batch -

# Nothing of the other boards may stay in this namespace: it would outlive them here.
set --
while read -r source place rest; do
  case $place in
    "$volume" | "$volume"/*) ;;
    "$data"/boards/*) set -- "$@" "$place" ;;
  esac
done </proc/self/mounts
[ $# -eq 0 ] || umount -l "$@" 2>/dev/null || :

exec <>in
cd root
mount --move . /
exec setpriv --bounding-set "$capabilities" env -i \\
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
  HOME=/root USER=root LOGNAME=root SHELL=/bin/sh TERM=linux LANG=C.UTF-8 \\
  MUSTER_HOME="$home" MUSTER_BOARD="$mark" LAVA_JOB="$job" \\
  chroot . /bin/sh -c "$init" muster-init "$hosts" "$device"
`;

/**
 * pid 1. $1: /etc/hosts, $2: the name. Only what a small root has: builtins and \`ln\`.
 * While it waits for the shell it also buries the orphans of the board.
 */
export const INIT = `
umask 022
{ printf '%s' "$1" >/etc/hosts; printf '%s\\n' "$2" >/etc/hostname; } 2>/dev/null
ln -sf "$MUSTER_HOME"/bin/lava-* /usr/bin/ 2>/dev/null ||
  echo 'muster: cannot link the verbs into /usr/bin'
PATH=$PATH:$MUSTER_HOME/bin
cd /root 2>/dev/null || cd /
while :; do
  /bin/sh
  status=$?
  ${END_READER}
  printf '\\n<MUSTER_SHELL_ENDED %s>\\n' "$status"
done
`;

/** A board without namespaces: a shell with private folders. Needs: volume. Its environment is set by the launch. */
export const PLAIN_INIT = `
printf '%s\\n' "$$" >&3
read -r go <&3 || exit 1
exec 3>&-
exec <>"$volume/in"
umask 022
cd "$HOME" || exit 1
trap : HUP INT TERM
while :; do
  /bin/sh
  status=$?
  ${END_READER}
  printf '\\n<MUSTER_SHELL_ENDED %s>\\n' "$status"
done
`;

/** Tries every right that a board of its own needs; $1: an empty folder. Says on stderr what it lacks. */
export const PROBE = `
set -eu
for program in unshare setsid setpriv chroot mount mkfifo mknod ip; do
  command -v "$program" >/dev/null || { echo "the program $program is missing" >&2; exit 1; }
done
exec unshare --net --mount --uts --ipc --pid --fork --kill-child setsid sh -euc '
  mount -t tmpfs muster-probe "$1"
  cd "$1"
  mkdir upper work root
  mount -t overlay -o nodev,lowerdir=/,upperdir=upper,workdir=work muster-probe root
  mount -t proc proc root/proc
  mount -t devpts -o newinstance devpts root/dev
  mknod root/null c 1 3
  ip link add name muster-probe type bridge
  ip link add name muster-a type veth peer name muster-b
  cd root
  mount --move . /
  exec setpriv --bounding-set -all,+sys_chroot chroot . /bin/sh -c :
' sh "$1"
`;
