/**
 * What is typed at a board's own shell, so that a shell of ours reads from its console: one that neither echoes nor
 * prompts, is begun anew when a script ends it, and takes a line at a time. Only POSIX sh.
 */
import { shellQuoted } from '../programs.ts';
import type { BoardEnd } from './bridge.ts';
import { END_READER } from './console-pump.ts';

export interface ShellFacts {
  home: string;
  mark: string;
  job: number;
  nonce: string;
}

/** Ends the loop: its console is gone. Any other end of the inner shell begins it anew. */
const GONE_STATUS = 97;

/** Without a single quote, and short: a line editor may take no more than 1,023 characters. */
const LOOP = (nonce: string) =>
  'trap : HUP INT TERM;umask 022;mkdir -p "$MUSTER_HOME";PATH=$PATH:$MUSTER_HOME/bin;export PATH;' +
  `echo "<MUSTER_BOARD_LOOP ${nonce} $((6*7))>";` +
  `while :;do sh -c "trap : HUP INT TERM;while IFS= read -r muster_line;do eval \\"\\$muster_line\\";done;exit ${GONE_STATUS}";` +
  `r=$?;[ $r != ${GONE_STATUS} ]||exit;${END_READER};printf "\\n<MUSTER_SHELL_ENDED %s>\\n" $r;done`;

/** One line for the shell that the login gave. It answers `loopAnswer`. */
export const loopLine = ({ home, mark, job, nonce }: ShellFacts): string =>
  'stty -echo -onlcr -ixon 2>/dev/null;' +
  `export MUSTER_HOME=${shellQuoted(home)} MUSTER_BOARD=${shellQuoted(mark)} LAVA_JOB=${job} MUSTER_LOOP=${nonce};` +
  `exec sh -c '${LOOP(nonce)}'`;

export const loopAnswer = (nonce: string): RegExp => new RegExp(`<MUSTER_BOARD_LOOP ${nonce} 42>`);

/** A mark that a board prints by itself and never by an echo of the line that asks for it. */
export const markLine = (word: string): string => `echo '<MUSTER_BOARD_DONE '"${word} $?>"`;
export const markAnswer = (word: string): RegExp =>
  new RegExp(`<MUSTER_BOARD_DONE ${word} (\\d+)>`);

/**
 * For sh on the board: reads an archive with these names, and puts each in the place of what had the name before.
 * Nothing half unpacked ever has a name.
 */
export const placeScript = (home: string, names: readonly string[]): string => {
  const places = names
    .map(shellQuoted)
    .map(
      (name) =>
        `rm -rf .old;if [ -e ${name} ];then mv ${name} .old;fi;mv .new/${name} ${name}||exit 1;`,
    );
  return (
    `(mkdir -p ${shellQuoted(home)}&&cd ${shellQuoted(home)}&&rm -rf .new&&mkdir .new&&` +
    `tar -xf - -C .new||exit 1;${places.join('')}rm -rf .old .new)`
  );
};

/** What a kernel and Debian's installer call a board that nobody gave a name. */
const NAMELESS = `''|'(none)'|localhost|localhost.*`;

/**
 * The script that a board runs once after its boot: a name where it has none of its own (one on a line or behind a login
 * stays as its owner called it), and its place on the network where it has one of ours.
 */
export function setupScript(device: string, network: { end: BoardEnd; hosts: string } | undefined) {
  const named = `hostname ${shellQuoted(device)} 2>/dev/null || :`;
  const lines = [
    network === undefined
      ? `case "$(hostname 2>/dev/null)" in ${NAMELESS}) ${named} ;; esac`
      : named,
  ];
  if (network !== undefined) {
    const { end, hosts } = network;
    const [address = '', prefix = ''] = end.address.split('/');
    lines.push(
      `printf %s ${shellQuoted(hosts)} >/etc/hosts || echo 'muster: /etc/hosts cannot be written: the boards of the group have no names here'`,
      'interface=',
      'for place in /sys/class/net/*; do',
      `  if [ "$(cat "$place/address" 2>/dev/null)" = ${end.mac} ]; then interface=\${place##*/}; fi`,
      'done',
      'if [ -z "$interface" ]; then',
      `  echo 'muster: the board has no network interface ${end.mac}'`,
      'elif command -v ip >/dev/null 2>&1; then',
      '  ip link set lo up',
      `  ip addr add ${end.address} brd + dev "$interface"`,
      '  ip link set "$interface" up',
      `  ip route add default via ${end.gateway}`,
      'else',
      '  ifconfig lo 127.0.0.1 up',
      `  ifconfig "$interface" ${address} netmask ${netmask(Number(prefix))} up`,
      `  route add default gw ${end.gateway}`,
      'fi',
    );
  }
  return `${lines.join('\n')}\n`;
}

function netmask(prefix: number): string {
  const bits = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}
