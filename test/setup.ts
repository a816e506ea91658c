/** Before all tests: the programs of Debian that real boards need, installed as root, or named. */
import { ensurePrograms, type Need } from '../cli/debian-programs.ts';
import { fetchKernel } from '../dispatcher/debian-kernel.ts';
import { makeThreads } from './threads.ts';

/** Their packages may start them: only where nobody lives. Elsewhere what needs them is skipped. */
const SERVERS: readonly Need[] = [
  ['sshd', 'openssh-server'],
  ['telnetd', 'inetutils-telnetd'],
];

export async function setup(): Promise<void> {
  await makeThreads();
  const say = (line: string) => process.stdout.write(`muster test: ${line}\n`);
  const lacking = await ensurePrograms(
    [
      ['git', 'git'],
      ['ip', 'iproute2'],
      ['iperf', 'iperf'],
      ['ping', 'iputils-ping'],
      ['ifconfig', 'net-tools'],
      ['curl', 'curl'],
      ['wget', 'wget'],
      ['busybox', 'busybox-static'],
      ['dash', 'dash'],
      ['openssl', 'openssl'],
      ['strace', 'strace'],
      ['xz', 'xz-utils'],
      ['xmllint', 'libxml2-utils'],
      ['chromium', 'chromium'],
      ['qemu-system-x86_64', 'qemu-system-x86'],
      ['qemu-img', 'qemu-utils'],
      ['cpio', 'cpio'],
      ['mkfs.ext4', 'e2fsprogs'],
      ['zstd', 'zstd'],
      ['ssh', 'openssh-client'],
      ['telnet', 'inetutils-telnet'],
      ['socat', 'socat'],
      ['script', 'bsdutils'],
      ...(process.env.CI === undefined ? [] : SERVERS),
    ],
    say,
  );
  if (lacking === undefined)
    await fetchKernel('x86_64', say).catch((error: Error) =>
      say(`no QEMU boards: ${error.message}`),
    );
  else say(`some tests will be skipped; to run them all: ${lacking}`);
}
