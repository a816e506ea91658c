/** The words with which QEMU is called: what the board is made of. */
import type { QemuSettings } from '../../../submission/lab-drivers.ts';
import { SHARE_SERIAL } from './share-drive.ts';

/** What it boots. */
export interface BootParts {
  kernel?: string | undefined;
  initrd?: string | undefined;
  /** For the kernel, where there is one. */
  append: string;
  /** In qcow2: without a kernel, what its firmware boots. */
  disk?: string | undefined;
}

export interface Parts extends BootParts {
  /** The file of the drive on which the worker lays files for the board. */
  share: string;
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
  const { kernel, initrd, append, disk, share, network } = parts;
  const drive = (words: string, file: string) => ['-drive', `if=none,${words},file=${value(file)}`];
  return [
    ...['-accel', settings.accel, ...words],
    ...['-m', String(settings.memory_mb), '-smp', String(settings.cpus)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    ...(kernel === undefined
      ? firmwareWords(settings)
      : ['-kernel', kernel, '-append', `console=${console} ${append}`.trim()]),
    ...(kernel === undefined || initrd === undefined ? [] : ['-initrd', initrd]),
    ...(disk === undefined
      ? []
      : [
          ...drive('id=disk,format=qcow2', disk),
          ...['-device', `virtio-blk-pci,drive=disk${kernel === undefined ? ',bootindex=0' : ''}`],
        ]),
    ...drive('id=share,format=raw,readonly=on,file.locking=off', share),
    ...['-device', `virtio-blk-pci,drive=share,serial=${SHARE_SERIAL}`],
    ...['-netdev', `tap,id=net,ifname=${network.link},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net,mac=${network.mac},romfile=`],
    ...['-device', 'virtio-rng-pci'],
    ...settings.args,
  ];
}

/** Of x86, QEMU has one itself. */
const FIRMWARE_AARCH64 = '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd';

function firmwareWords({ arch, firmware }: QemuSettings): string[] {
  const file = firmware ?? (arch === 'aarch64' ? FIRMWARE_AARCH64 : undefined);
  return file === undefined ? [] : ['-bios', file];
}
