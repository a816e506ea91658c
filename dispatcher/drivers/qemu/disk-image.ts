/**
 * Images that a QEMU board boots: a disk (raw or qcow2), or an archive with a kernel and what it starts with. They are not
 * trusted: what one is, is told by its bytes, and it may name no other file of the worker's.
 */
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { withoutSecrets } from '../../../submission/addresses.ts';
import { causeSaid, StepFailure } from '../../failure.ts';
import { IMAGE_BYTES_MAX_DEFAULT, unpackImage } from '../../image.ts';
import { lastLine, runProgram } from '../../programs.ts';

export type DiskFormat = 'qcow2' | 'raw';

/** What a board has of its own in its folder of images. */
export interface ImageFiles {
  /** As it was fetched; a board writes into `overlay` alone. */
  disk: string;
  overlay: string;
  kernel: string;
  initrd: string;
  /** More words for the kernel. */
  append: string;
}

export const imageFiles = (folder: string): ImageFiles => ({
  disk: join(folder, 'disk'),
  overlay: join(folder, 'overlay.qcow2'),
  kernel: join(folder, 'kernel'),
  initrd: join(folder, 'initrd'),
  append: join(folder, 'append'),
});

export const isThere = async (file: string): Promise<boolean> =>
  (await stat(file).catch(() => undefined))?.isFile() === true;

const HEAD_BYTES = 0x11000;
const at = (offset: number, bytes: string | readonly number[]) => ({
  ...{
    offset,
    bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes),
  },
});
/** The partition table of a disk, or the file system that fills it. */
const RAW = [
  at(510, [0x55, 0xaa]),
  at(512, 'EFI PART'),
  at(0x438, [0x53, 0xef]), // ext2, 3, 4
  at(0, 'XFSB'),
  at(0, 'hsqs'),
  at(0x10040, '_BHRfS_M'),
  at(0x400, [0x10, 0x20, 0xf5, 0xf2]), // f2fs
];
const QCOW2 = at(0, [0x51, 0x46, 0x49, 0xfb]);
const TAR = at(257, 'ustar');

/** @returns `undefined`: nothing that a board could boot */
export async function kindOfImage(file: string): Promise<DiskFormat | 'archive' | undefined> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    const has = ({ offset, bytes }: ReturnType<typeof at>) =>
      head.subarray(offset, offset + bytes.length).equals(bytes);
    if (has(QCOW2)) return 'qcow2';
    if (has(TAR)) return 'archive';
    return RAW.some(has) ? 'raw' : undefined;
  } finally {
    await handle.close();
  }
}

const QcowInfo = z.object({
  'virtual-size': z.number(),
  'backing-filename': z.string().optional(),
  'format-specific': z
    .object({ data: z.object({ 'data-file': z.string().optional() }).optional() })
    .optional(),
});

/**
 * Makes the drive on which a board writes, in front of a disk that stays as it is.
 *
 * @throws StepFailure `image-refused`, `image-broken`, `image-too-large`
 */
export async function makeOverlay(
  files: ImageFiles,
  format: DiskFormat,
  url: string,
  bytesMax = IMAGE_BYTES_MAX_DEFAULT,
): Promise<void> {
  const shown = `image ${withoutSecrets(url)}`;
  const info = await runProgram('qemu-img', ['info', '--output=json', '-f', format, files.disk]);
  if (info.status !== 0)
    throw new StepFailure(
      'image-broken',
      `${shown}: ${lastLine(info.stderr)}`,
      causeSaid(info.stderr),
    );
  const about = QcowInfo.parse(JSON.parse(info.stdout));
  const other = about['backing-filename'] ?? about['format-specific']?.data?.['data-file'];
  if (other !== undefined)
    throw new StepFailure('image-refused', `${shown} is only a part: it names another file`);
  if (about['virtual-size'] > bytesMax)
    throw new StepFailure(
      'image-too-large',
      `${shown}: a disk of ${about['virtual-size']} bytes, more than ${bytesMax}`,
    );
  await rm(files.overlay, { force: true });
  const made = await runProgram('qemu-img', [
    ...['create', '-q', '-f', 'qcow2', '-b', files.disk, '-F', format, files.overlay],
  ]);
  if (made.status !== 0)
    throw new StepFailure(
      'image-broken',
      `${shown}: ${lastLine(made.stderr)}`,
      causeSaid(made.stderr),
    );
}

/** Takes `kernel`, `initrd` and `append` out of an archive; a file system or a disk has the name `disk`. */
export async function unpackParts(
  files: ImageFiles,
  folder: string,
  options: Parameters<typeof unpackImage>[2] & { url: string },
): Promise<void> {
  const shown = `image ${withoutSecrets(options.url)}`;
  const place = join(folder, 'unpacked');
  const archive = join(folder, 'archive');
  await rename(files.disk, archive);
  await unpackImage(pathToFileURL(archive).href, place, { ...options, allowFiles: [folder] });
  for (const name of ['kernel', 'initrd', 'append', 'disk'] as const)
    if (await isThere(join(place, name))) await rename(join(place, name), files[name]);
  for (const left of [place, archive]) await rm(left, { recursive: true, force: true });
  if (!(await isThere(files.kernel)) && !(await isThere(files.disk)))
    throw new StepFailure(
      'image-refused',
      `${shown} is an archive without a file "kernel" or "disk" at its top`,
    );
}
