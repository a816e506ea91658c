/** Before all tests: the programs of Debian that real boards need, installed as root, or named. */
import { ensurePrograms } from '../cli/debian-programs.ts';

export async function setup(): Promise<void> {
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
    ],
    say,
  );
  if (lacking !== undefined) say(`some tests will be skipped; to run them all: ${lacking}`);
}
