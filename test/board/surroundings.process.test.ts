// Verbs in odd surroundings: no environment, no folder, no room in /tmp, no kernel uuid, no client.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { type Board, boardFolder, boardTest, find, shellsOnly, start, usable } from './shells.ts';

/** Lays the programs and the env file into the board's home, as the dispatcher does. */
function layHome(board: Board): void {
  board.copyPrograms();
  board.writeEnv();
}

/** Why no mount namespace can be made here, or undefined. */
function noMounts(): string | undefined {
  if (!find('unshare')) return 'unshare is not installed';
  const tried = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none /tmp']);
  return tried.status === 0 ? undefined : 'mount namespaces are not allowed here';
}
const withoutMounts = noMounts();
if (withoutMounts) process.stderr.write(`skipped: mount tests: ${withoutMounts}\n`);

describe.concurrent.each(usable(shellsOnly))('surroundings, $name', (pair) => {
  const it = boardTest(pair);

  it('a verb finds its job when the environment was wiped', async ({ board, server, expect }) => {
    layHome(board);
    for (const [verb, words, stdout] of [
      ['lava-self', [], 'panda01\n'],
      ['lava-group', [], 'panda01\tclient\n'],
      ['lava-send', ['x'], ''],
    ] as const)
      expect(await start([...pair.shell, board.verb(verb), ...words], {}).finished).toMatchObject({
        status: 0,
        stdout,
        stderr: '',
      });
    expect(server.of('send')[0]!.token).toBe('Bearer mb1.7.panda01.mac');
  });

  it('a verb finds its library when it is called through a link', async ({
    board,
    server,
    expect,
  }) => {
    layHome(board);
    for (const verb of ['lava-self', 'lava-send']) {
      const link = path.join(board.folder, verb);
      fs.symlinkSync(board.verb(verb), link);
      const words = verb === 'lava-send' ? ['x'] : [];
      expect(await start([...pair.shell, link, ...words], {}).finished).toMatchObject({
        status: 0,
      });
    }
    expect(server.of('send')).toHaveLength(1);
  });

  it('MUSTER_HOME says where the env file is', async ({ board, server, expect }) => {
    layHome(board);
    board.programs = boardFolder;
    const env = { PATH: board.path, MUSTER_HOME: board.home };
    expect(await start([...pair.shell, board.verb('lava-send'), 'x'], env).finished).toMatchObject({
      status: 0,
    });
    expect(server.of('send')).toHaveLength(1);
  });

  it('a verb without a server says which variable is missing', async ({ board, expect }) => {
    delete board.env.MUSTER_URL;
    delete board.env.MUSTER_DEVICE;
    expect(await board.run('lava-send', 'x')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^lava-send: MUSTER_URL is not set.*\n$/),
    });
    expect(await board.run('lava-self')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^lava-self: MUSTER_DEVICE is not set.*\n$/),
    });
  });

  it('a verb works in a folder that was deleted', async ({ board, server, expect }) => {
    server.plan('wait', 'ok\nk=v\n');
    const gone = path.join(board.folder, 'gone');
    fs.mkdirSync(gone);
    const script = `cd '${gone}' && rmdir '${gone}' && exec "$@"`;
    const words = ['/bin/sh', '-c', script, 'x', ...pair.shell, board.verb('lava-wait'), 'x'];
    const env = { ...board.env, PATH: `${board.path}:/usr/bin:/bin` };
    expect(await start(words, env).finished).toMatchObject({ status: 0 });
    expect(board.readCache()).toBe('k=v\n');
  });

  it('the locale and the word separators of the caller change nothing', async ({
    board,
    server,
    expect,
  }) => {
    for (const locale of ['C', 'C.UTF-8', 'de_DE@euro', 'no such locale']) {
      board.env.LC_ALL = locale;
      board.env.IFS = '/:=%a';
      expect(await board.run('lava-send', 'ä/ö', 'k=a b:c/d%\nx')).toMatchObject({ status: 0 });
    }
    for (const request of server.of('send'))
      expect(request.words).toEqual(['ä/ö', 'k=a b:c/d%\nx']);
  });

  it('a request that needs a file goes into MUSTER_HOME when no other folder takes it', {
    skip: Boolean(withoutMounts),
  }, async ({ board, server, expect }) => {
    // The board's own folders may lie in /tmp: they are mounted elsewhere before /tmp is closed.
    board.env.TMPDIR = '/proc/no-such-folder';
    board.env.LAVA_MULTI_NODE_CACHE = '/mnt/cache';
    const folders = { home: board.home, board: board.programs, path: board.path };
    const aside = Object.keys(folders).map((name) => `/dev/shm/muster-test-$$-${name}`);
    const mounts = Object.entries(folders).map(
      ([, folder], at) =>
        `mkdir ${aside[at]} && mount --bind '${folder}' ${aside[at]} || exit 99\n`,
    );
    const places = Object.keys(folders).map(
      (name, at) =>
        `mkdir /mnt/${name} && mount --bind ${aside[at]} /mnt/${name} && umount ${aside[at]} && rmdir ${aside[at]} || exit 99\n`,
    );
    const script = `
      ${mounts.join('')} mount -t tmpfs none /mnt || exit 99
      ${places.join('')} mount -t tmpfs -o ro none /tmp || exit 99
      export PATH=/mnt/path MUSTER_HOME=$1; shift; exec "$@"`;
    const call = async (home: string, verb: string) =>
      await start(
        [
          ...[find('unshare')!, '-m', '/bin/sh', '-c', script, 'x', home],
          ...[...pair.shell, `/mnt/board/bin/${verb}`, 'x'],
        ],
        { ...board.env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      ).finished;
    expect(await call('/mnt/home', 'lava-wait')).toMatchObject({ status: 0, stderr: '' });
    expect(await call('/proc/none', 'lava-send')).toMatchObject({ status: 0, stderr: '' });
    expect(server.requests.map(({ verb }) => verb)).toEqual(['wait', 'send']);
    expect(fs.readdirSync(board.home)).toEqual([]);
    if (pair.client === 'bash') return;
    expect(await call('/proc/none', 'lava-wait')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^lava-wait: cannot write the request in .*\n$/),
    });
  });

  it('a key comes from /dev/urandom when the kernel gives no uuid', {
    skip: Boolean(withoutMounts),
  }, async ({ board, server, expect }) => {
    const script = 'mount -t tmpfs none /proc/sys/kernel/random || exit 99; exec "$@"';
    for (let call = 0; call < 2; call++) {
      const words = ['-m', '/bin/sh', '-c', script, 'x', ...pair.shell, board.verb('lava-send')];
      const env = { ...board.env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
      expect(await start([find('unshare')!, ...words, 'x'], env).finished).toMatchObject({
        status: 0,
      });
    }
    const keys = server.of('send').map((request) => request.key);
    expect(keys.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true);
    expect(new Set(keys).size).toBe(2);
  });

  it('a board without an HTTP client is told what to install', async ({ board, expect, skip }) => {
    skip(pair.shell.length > 1, 'a busybox shell has a wget of its own, tested below');
    skip(pair.client === 'bash', 'bash is a client');
    fs.rmSync(path.join(board.path, 'curl'));
    expect(await board.run('lava-send', 'x')).toMatchObject({
      status: 1,
      stderr: 'lava-send: no HTTP client: install bash, curl, wget or busybox\n',
    });
  });

  it('a busybox shell uses the wget inside itself', async ({ board, server, expect, skip }) => {
    const env = { PATH: '/none' };
    const inside = spawnSync(pair.shell[0]!, [...pair.shell.slice(1), '-c', 'command -v wget'], {
      env,
    });
    skip(inside.status !== 0, 'this shell has no wget inside itself');
    skip(pair.client === 'bash', 'bash is a client');
    fs.rmSync(path.join(board.path, 'curl'));
    expect(await board.run('lava-send', 'id', 'k=v w')).toMatchObject({ status: 0 });
    expect(server.of('send')[0]!.words).toEqual(['id', 'k=v w']);
  });
});
