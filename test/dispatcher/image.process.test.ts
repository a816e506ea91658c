/** Root file systems as tar archives: what a board boots from them, and what is refused. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Header, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isDiskFull, StepAborted } from '../../dispatcher/failure.ts';
import { unpackImage } from '../../dispatcher/image.ts';
import { mountSmallDisk } from '../store/disks.ts';
import { skipBecause } from '../store/events.ts';
import { boot, commands, deploy, Lab, leftovers, namespacesSkipped } from './harness.ts';

const lack = await namespacesSkipped();
/** A busybox that runs where nothing else is: most that are called so need a loader and a C library beside them. */
function busyboxForAnEmptyRoot(): string | undefined {
  const places = [...(process.env.PATH ?? '').split(':'), '/bin', '/usr/bin'];
  const root = mkdtempSync(join(tmpdir(), 'muster-busybox-'));
  try {
    return [...new Set(places)]
      .flatMap((place) => [join(place, 'busybox'), join(place, 'busybox.static')])
      .find((path) => {
        if (!existsSync(path)) return false;
        copyFileSync(path, join(root, 'busybox'));
        const { status } = spawnSync('chroot', [root, '/busybox', 'true'], { stdio: 'ignore' });
        return status === 0;
      });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
const busybox = lack === undefined ? busyboxForAnEmptyRoot() : undefined;
if (lack === undefined && busybox === undefined)
  console.log(
    "skipped: a board with a small root: no busybox here runs by itself, as the one of Debian's busybox-static does",
  );

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-image-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Member = Partial<Header> & { name: string; content?: string | Buffer };

async function tar(members: Member[]): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...header } of members) archive.entry(header, content ?? '');
  archive.finalize();
  return buffer(archive as unknown as NodeJS.ReadableStream);
}

/** Unpacks an archive that lies in the allowed folder; gives the folder that it was unpacked into. */
async function unpack(
  archive: Buffer,
  options: { bytesMax?: number; signal?: AbortSignal; notes?: string[] } = {},
): Promise<string> {
  const root = join(folder, 'root');
  const file = join(folder, 'image.tar');
  writeFileSync(file, archive);
  await unpackImage(pathToFileURL(file).href, root, {
    allowFiles: [folder],
    bytesMax: options.bytesMax ?? 1_000_000,
    mark: {},
    signal: options.signal ?? new AbortController().signal,
    note: async (line) => void options.notes?.push(line),
  });
  return root;
}

const refused = (code: string, message: RegExp | string = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

const ordinary: Member[] = [
  { name: './', type: 'directory', mode: 0o755 },
  { name: './etc/', type: 'directory', mode: 0o750 },
  { name: './etc/hello', content: 'hello\n', mode: 0o640 },
  { name: 'bin/deep/tool', content: '#!/bin/sh\n', mode: 0o4755 },
  { name: 'etc/link', type: 'symlink', linkname: '/etc/passwd' },
  { name: 'etc/hard', type: 'link', linkname: 'etc/hello' },
];

describe('an image', () => {
  test('is unpacked with folders, files, modes, links and owners', async () => {
    const root = await unpack(await tar(ordinary));
    expect(readFileSync(join(root, 'etc/hello'), 'utf8')).toBe('hello\n');
    expect(statSync(join(root, 'bin/deep/tool')).mode & 0o7777).toBe(0o4755);
    expect(statSync(join(root, 'etc')).mode & 0o777).toBe(0o750);
    expect(readlinkSync(join(root, 'etc/link'))).toBe('/etc/passwd');
    expect(statSync(join(root, 'etc/hard')).ino).toBe(statSync(join(root, 'etc/hello')).ino);
  });

  test('may be compressed with gzip or xz', async () => {
    const archive = await tar(ordinary);
    for (const packed of [gzipSync(archive), execFileSync('xz', ['-c'], { input: archive })]) {
      const root = await unpack(packed);
      expect(readdirSync(root).sort()).toEqual(['bin', 'etc']);
    }
  });

  test('whose member climbs out of it is refused, and nothing is written outside', async () => {
    const bad: Member[][] = [
      [{ name: '../out', content: 'x' }],
      [{ name: 'a/../../out', content: 'x' }],
      [{ name: '/out', content: 'x' }],
      [
        { name: 'a', type: 'symlink', linkname: '..' },
        { name: 'a/out', content: 'x' },
      ],
      [
        { name: 'a', type: 'symlink', linkname: '/tmp' },
        { name: 'a/b/out', content: 'x' },
      ],
      [
        { name: 'a', type: 'symlink', linkname: '..' },
        { name: 'a/out', type: 'directory' },
      ],
      [{ name: 'a', type: 'link', linkname: '../image.tar' }],
      [{ name: 'a', type: 'link', linkname: '/etc/passwd' }],
      [
        { name: 'a', type: 'symlink', linkname: '..' },
        { name: 'b', type: 'link', linkname: 'a/image.tar' },
      ],
    ];
    for (const members of bad) {
      await expect(unpack(await tar(members)), JSON.stringify(members)).rejects.toEqual(
        refused('image-refused', /climb out/),
      );
      expect(readdirSync(folder).sort()).toEqual(['image.tar', 'root']);
    }
  });

  test('replaces a link by a later member of its name, and does not write through it', async () => {
    writeFileSync(join(folder, 'outside'), 'untouched');
    const root = await unpack(
      await tar([
        { name: 'a', type: 'symlink', linkname: '../outside' },
        { name: 'a', content: 'mine' },
      ]),
    );
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('mine');
    expect(readFileSync(join(folder, 'outside'), 'utf8')).toBe('untouched');
  });

  test('has its device nodes and pipes left out, and says so', async () => {
    const notes: string[] = [];
    const members: Member[] = [
      { name: 'dev/sda', type: 'block-device', devmajor: 8 },
      { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 },
      { name: 'pipe', type: 'fifo' },
    ];
    const root = await unpack(await tar(members), { notes });
    expect(readdirSync(join(root, 'dev'))).toEqual([]);
    expect(notes).toEqual([
      expect.stringContaining('3 device nodes and pipes were left out: dev/sda'),
    ]);
  });

  test('that is no archive, is cut short or empty fails clearly', async () => {
    const archive = await tar([...ordinary, { name: 'large', content: randomBytes(200_000) }]);
    const xz = execFileSync('xz', ['-c'], { input: archive });
    const bad: [Buffer, RegExp][] = [
      [
        Buffer.from('not an archive\n'),
        /is not an archive: expected tar, tar\.gz, tar\.xz or tar\.zst/,
      ],
      [Buffer.alloc(0), /is not an archive/],
      [randomBytes(10_000), /./],
      [gzipSync('not an archive\n'.repeat(100)), /./],
      [archive.subarray(0, 100_000), /./],
      [gzipSync(archive).subarray(0, 100_000), /./],
      [xz.subarray(0, 100_000), /xz/],
      [Buffer.alloc(10_240), /empty archive/],
    ];
    for (const [bytes, message] of bad)
      await expect(unpack(bytes), String(message)).rejects.toEqual(
        refused('image-broken', message),
      );
  });

  test('that grows beyond its limit is refused before the disk is full', async () => {
    const bomb = gzipSync(await tar([{ name: 'zeros', content: Buffer.alloc(4_000_000) }]));
    expect(bomb.length).toBeLessThan(10_000);
    await expect(unpack(bomb)).rejects.toEqual(
      refused('image-too-large', /more than 1000000 bytes/),
    );
    expect(lstatSync(join(folder, 'root/zeros')).size).toBeLessThanOrEqual(1_000_000);
  });

  test('that fills the disk is refused for that, and the disk is the worker’s', async (context) => {
    const place = join(folder, 'small');
    mkdirSync(place);
    const disk = mountSmallDisk(place, 512);
    if ('lacks' in disk) return skipBecause(context, disk.lacks);
    try {
      const file = join(folder, 'large.tar');
      writeFileSync(file, await tar([{ name: 'large', content: Buffer.alloc(900_000) }]));
      const options = {
        ...{ allowFiles: [folder], bytesMax: 1_000_000, mark: {} },
        ...{ signal: new AbortController().signal, note: async () => undefined },
      };
      const failure = await unpackImage(
        pathToFileURL(file).href,
        join(place, 'root'),
        options,
      ).catch((error: unknown) => error);
      expect(failure).toEqual(refused('image-too-large', /large\.tar: the worker's disk is full/));
      expect(isDiskFull(failure)).toBe(true);
    } finally {
      disk.unmount();
    }
  });

  test('from a folder that the lab does not allow is refused', async () => {
    const options = {
      allowFiles: [join(folder, 'allowed')],
      ...{ bytesMax: 1, mark: {}, signal: new AbortController().signal },
      note: async () => undefined,
    };
    mkdirSync(join(folder, 'allowed'));
    writeFileSync(join(folder, 'secret'), 'x');
    for (const url of [
      `file://${folder}/secret`,
      `file://${folder}/allowed/../secret`,
      `file://${folder}/allowed/%2e%2e/secret`,
      'file:///etc/passwd',
      'ftp://host/x',
      'host:',
    ])
      await expect(unpackImage(url, join(folder, 'r'), options), url).rejects.toEqual(
        refused('image-refused'),
      );
    expect(existsSync(join(folder, 'r'))).toBe(false);
  });

  test('is broken off when its step is taken back', async () => {
    const web = createServer((_, response) => void response.write('x'.repeat(10)));
    await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
    const stop = new AbortController();
    const running = unpackImage(
      `http://127.0.0.1:${(web.address() as AddressInfo).port}/`,
      join(folder, 'root'),
      { allowFiles: [], bytesMax: 1, mark: {}, signal: stop.signal, note: async () => undefined },
    );
    web.once('request', () => stop.abort());
    await expect(running).rejects.toBeInstanceOf(StepAborted);
    web.closeAllConnections();
    web.close();
  });

  test('of whatever members writes nothing outside its folder', async () => {
    const part = fc.constantFrom('a', 'b', '..', '.', '', 'etc');
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const type = fc.constantFrom('file', 'directory', 'symlink', 'link') as fc.Arbitrary<'file'>;
    const member = fc.record({ name: path, linkname: path, type });
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 8 }), async (members) => {
        rmSync(join(folder, 'root'), { recursive: true, force: true });
        await unpack(
          await tar(
            members.map((m) => (m.type === 'file' ? { ...m, content: 'x' } : { ...m, size: 0 })),
          ),
        ).catch((error: unknown) => expect(error).toHaveProperty('code'));
        expect(readdirSync(folder).sort()).toEqual(['image.tar', 'root']);
        expect(readFileSync(join(folder, 'image.tar')).subarray(0, 1).toString()).not.toBe('x');
      }),
      { numRuns: 150 },
    );
  });
});

/** A root with nothing but busybox in it. */
async function smallRoot(binary: string): Promise<Buffer> {
  const applets = execFileSync(binary, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  return tar([
    { name: 'usr/bin/busybox', content: readFileSync(binary), mode: 0o755 },
    { name: 'bin', type: 'symlink', linkname: 'usr/bin' },
    { name: 'etc', type: 'directory' },
    { name: 'root', type: 'directory' },
    // Every folder that setup needs, led astray.
    { name: 'proc', type: 'symlink', linkname: folder },
    { name: 'tmp', type: 'symlink', linkname: folder },
    { name: 'lava', type: 'symlink', linkname: folder },
    { name: 'etc/hosts', type: 'symlink', linkname: `${folder}/hosts` },
    ...applets
      .filter((name) => name !== 'busybox')
      .map((name) => ({ name: `usr/bin/${name}`, type: 'symlink' as const, linkname: 'busybox' })),
  ]);
}

describe.skipIf(lack !== undefined)('a board', () => {
  test.skipIf(busybox === undefined)(
    'boots a small root that does not trust its links, and runs tests on it',
    async () => {
      const archive = gzipSync(await smallRoot(busybox ?? ''));
      const web = createServer((_, response) => response.end(archive));
      await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
      const image = `http://127.0.0.1:${(web.address() as AddressInfo).port}/root.tar.gz`;
      const lab = new Lab(['panda01']);
      try {
        await lab.open();
        const look = commands(
          'lava-self',
          'test ! -e /usr/bin/git',
          'ls -d /lava-1 /tmp',
          'echo $PPID',
        );
        lab.server.allocate(1, [{ device: 'panda01', actions: [deploy(image), boot(), look] }]);
        expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
        expect(lab.console(1, 'panda01')).toContain('\npanda01\n');
        const results = lab.server.calls.filter((call) => call.includes(': result'));
        expect(results.map((call) => /result=(\w+)/.exec(call)?.[1])).toEqual(
          Array(4).fill('pass'),
        );
        expect(readdirSync(folder)).toEqual([]);
        await lab.empty();
        expect(await leftovers(lab)).toEqual([]);
      } finally {
        await lab.close();
        web.closeAllConnections();
        web.close();
      }
    },
  );

  test('without a shell in its image fails to boot, with the reason', async () => {
    const lab = new Lab(['panda01'], { allowFiles: [folder] });
    const file = join(folder, 'empty.tar');
    writeFileSync(file, await tar([{ name: 'etc', type: 'directory' }]));
    try {
      await lab.open();
      const actions = [deploy(pathToFileURL(file).href), boot()];
      lab.server.allocate(1, [{ device: 'panda01', actions }]);
      expect((await lab.ends(1)).panda01).toMatch(/the board did not boot: .*\/bin\/sh/);
      await lab.empty();
      expect(await leftovers(lab)).toEqual([]);
    } finally {
      await lab.close();
    }
  });
});
