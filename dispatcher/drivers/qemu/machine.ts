/** The words with which QEMU is called: what the board is made of. */
import type { QemuSettings } from '../../../submission/lab-drivers.ts';
import { SHARE_SERIAL } from './share-drive.ts';

export interface Parts {
  kernel: string;
  initrd: string;
  append: string;
  /** The file of the drive on which the worker lays files for the board. */
  drive: string;
  network: { link: string; mac: string };
}

const MACHINES = {
  x86_64: { program: 'qemu-system-x86_64', words: ['-machine', 'q35'], console: 'ttyS0' },
  aarch64: {
    program: 'qemu-system-aarch64',
    words: ['-machine', 'virt', '-cpu', 'cortex-a57'],
    console: 'ttyAMA0',
  },
} as const;

export const programOf = (arch: QemuSettings['arch']): string => MACHINES[arch].program;

/** A comma in a value of QEMU's is written twice. */
const value = (text: string): string => text.replaceAll(',', ',,');

/** Its end is the end of the board, at a reboot of its own too: the worker decides what comes then. */
export function machineWords(settings: QemuSettings, parts: Parts): string[] {
  const { words, console } = MACHINES[settings.arch];
  const { kernel, initrd, append, drive, network } = parts;
  return [
    ...['-accel', settings.accel, ...words],
    ...['-m', String(settings.memory_mb), '-smp', String(settings.cpus)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...['-kernel', kernel, '-initrd', initrd],
    ...['-append', `console=${console} quiet panic=-1 ${append}`.trim()],
    '-drive',
    `if=none,id=share,format=raw,readonly=on,file.locking=off,file=${value(drive)}`,
    ...['-device', `virtio-blk-pci,drive=share,serial=${SHARE_SERIAL}`],
    ...['-netdev', `tap,id=net,ifname=${network.link},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net,mac=${network.mac},romfile=`],
    ...['-device', 'virtio-rng-pci'],
    ...settings.args,
  ];
}
