// Every verb, under every shell and every HTTP client: words, answers, the cache file, exit statuses.
import fs from 'node:fs';
import { describe } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { boardTest, find, pairs, start, until, usable } from './shells.ts';

const nasty = [
  'key=a b',
  'k=x=y:z>w',
  `q='single' "double"`,
  'b=back\\slash \\n \\',
  'p=100%25 %0A %',
  'g=* ? [a-z] ~ $HOME `id` $(id)',
  'u=ÄÖ€ 漢字 🎉 Ł',
  '-n',
  '--help',
  '',
  'n=one\ntwo\n\nthree\n\n',
  '\n',
  ' lead and trail\t',
  'r=carriage\r',
];

const list = usable(pairs);
describe.concurrent.each(list)('a board that has $name', (pair) => {
  const it = boardTest(pair);

  it('answers lava-self, lava-role and lava-group from its own file, and asks nobody', async ({
    board,
    server,
    expect,
  }) => {
    board.writeEnv('panda01\tclient\npanda02\tclient\nbeagle\tserver');
    const said = async (verb: string, ...words: string[]) => {
      const { status, stdout, stderr } = await board.run(verb, ...words);
      return [status, stdout, stderr];
    };
    const all = 'panda01\tclient\npanda02\tclient\nbeagle\tserver\n';
    expect(await said('lava-self')).toEqual([0, 'panda01\n', '']);
    expect(await said('lava-role')).toEqual([0, 'client\n', '']);
    expect(await said('lava-role', 'list')).toEqual([0, 'client\nclient\nserver\n', '']);
    expect(await said('lava-group')).toEqual([0, all, '']);
    expect(await said('lava-group', 'client')).toEqual([0, 'panda01\npanda02\n', '']);
    expect(await said('lava-group', 'nobody')).toEqual([1, '', '']);
    expect(await said('lava-group', '')).toEqual([1, '', '']);
    expect(server.requests).toEqual([]);
  });

  it('tells the server who it is, in what form it speaks, and a key', async ({
    board,
    server,
    expect,
  }) => {
    expect(await board.run('lava-send', 'ready')).toEqual({
      status: 0,
      signal: null,
      stdout: '',
      stderr: '',
    });
    expect(server.requests).toMatchObject([
      {
        verb: 'send',
        words: ['ready'],
        token: 'Bearer mb1.7.panda01.mac',
        contentType: 'application/x-muster-words',
        key: expect.stringMatching(/^[A-Za-z0-9._-]{8,64}$/),
      },
    ]);
  });

  it('sends every word as it is, whatever is in it', async ({ board, server, expect }) => {
    expect(await board.run('lava-send', ...nasty)).toMatchObject({ status: 0, stderr: '' });
    expect(server.of('send')[0]!.words).toEqual(nasty);
  });

  it('has no options: -n and --help are ids', async ({ board, server, expect }) => {
    for (const verb of ['lava-send', 'lava-wait', 'lava-wait-all', 'lava-sync']) {
      expect(await board.run(verb, '-n')).toMatchObject({ status: 0 });
      expect(await board.run(verb, '--help')).toMatchObject({ status: 0, stdout: '' });
    }
    expect(server.requests.map((request) => request.words[0])).toEqual(
      Array.from({ length: 4 }, () => ['-n', '--help']).flat(),
    );
  });

  it('sends messages beyond the limit whole, and reports that they are refused', async ({
    board,
    server,
    expect,
  }) => {
    server.plan('send', 'refused the message has 70000 bytes, at most 65536 are allowed\n');
    const large = `k=${'%'.repeat(50_000)}`;
    const words = [
      'id',
      `v=${'x'.repeat(70_000)}`,
      large,
      ...Array(300).fill(`n=${'y'.repeat(700)}`),
    ];
    expect(await board.run('lava-send', ...words)).toMatchObject({
      status: 1,
      stderr: 'lava-send: the message has 70000 bytes, at most 65536 are allowed\n',
    });
    expect(server.of('send')[0]!.words).toEqual(words);
  });

  it('rewrites the cache file with the data of a wait, and empties it when there is none', async ({
    board,
    server,
    expect,
  }) => {
    server.plan('wait', 'ok\nip=10.0.0.1\nv=a b=c\n', 'ok\n');
    expect(await board.run('lava-wait', 'ready')).toMatchObject({ status: 0, stdout: '' });
    expect(board.readCache()).toBe('ip=10.0.0.1\nv=a b=c\n');
    await board.run('lava-wait', 'ready');
    expect(board.readCache()).toBe('');
  });

  it('writes the lines of lava-wait-all, and passes its role on', async ({
    board,
    server,
    expect,
  }) => {
    server.plan('wait-all', 'ok only you play this role\npanda01:k=v\n');
    expect(await board.run('lava-wait-all', 'ready', 'client')).toMatchObject({
      status: 0,
      stderr: 'lava-wait-all: only you play this role\n',
    });
    expect(board.readCache()).toBe('panda01:k=v\n');
    await board.run('lava-wait-all', 'ready', '');
    expect(server.of('wait-all').map((request) => request.words)).toEqual([
      ['ready', 'client'],
      ['ready', ''],
    ]);
  });

  it('empties the cache file when a wait failed, and keeps it when the wait was refused or denied', async ({
    board,
    server,
    expect,
  }) => {
    fs.writeFileSync(board.cache, 'old=1\n');
    server.plan(
      'wait',
      'refused no such role\n',
      'denied the job has ended\n',
      'fail board7 is missing\n',
    );
    expect(await board.run('lava-wait', 'x')).toMatchObject({
      status: 1,
      stderr: 'lava-wait: no such role\n',
    });
    expect(await board.run('lava-wait', 'x')).toMatchObject({
      status: 1,
      stderr: 'lava-wait: the job has ended\n',
    });
    expect(board.readCache()).toBe('old=1\n');
    expect(await board.run('lava-wait', 'x')).toMatchObject({
      status: 1,
      stderr: 'lava-wait: board7 is missing\n',
    });
    expect(board.readCache()).toBe('');
  });

  it('leaves the cache file alone in lava-sync, released or failed', async ({
    board,
    server,
    expect,
  }) => {
    fs.writeFileSync(board.cache, 'old=1\n');
    server.plan('sync', 'ok\n', 'fail late\n');
    expect((await board.run('lava-sync', 'x')).status).toBe(0);
    expect((await board.run('lava-sync', 'x')).status).toBe(1);
    expect(board.readCache()).toBe('old=1\n');
  });

  it('keeps a cache file that is a link a link', async ({ board, server, expect }) => {
    fs.writeFileSync(`${board.folder}/real`, 'old=1\n');
    fs.symlinkSync('real', board.cache);
    server.plan('wait', 'ok\nk=v\n');
    await board.run('lava-wait', 'x');
    expect(fs.readFileSync(`${board.folder}/real`, 'utf8')).toBe('k=v\n');
  });

  it('says so when the cache file cannot be written', async ({ board, expect }) => {
    board.env.LAVA_MULTI_NODE_CACHE = `${board.folder}/no/such/folder/cache`;
    expect(await board.run('lava-wait', 'x')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^lava-wait: cannot write the cache file .*\n$/),
    });
  });

  it('prints its usage and exits 1 without the words that it needs', async ({
    board,
    server,
    expect,
  }) => {
    const calls: [string, string[]][] = [
      ['lava-self', ['x']],
      ['lava-role', ['all']],
      ['lava-role', ['list', 'x']],
      ['lava-group', ['client', 'x']],
      ['lava-send', []],
      ['lava-wait', []],
      ['lava-wait-all', []],
      ['lava-sync', []],
      ['lava-test-raise', []],
    ];
    for (const [verb, words] of calls) {
      const ended = await board.run(verb, ...words);
      expect(ended).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr).toContain(`Usage: ${verb}`);
    }
    expect(server.requests).toEqual([]);
  });

  it('comes again with the same key after wait, a dropped line, half an answer, a 500 and retry', async ({
    board,
    server,
    expect,
  }) => {
    server.plan(
      'sync',
      'wait\n',
      'drop before an answer',
      'reset in mid-answer',
      'status 500',
      '<html>not ours</html>\n',
      'retry the disk is full\n',
      'ok\n',
    );
    const ended = await board.run('lava-sync', 'ready');
    expect(ended).toMatchObject({ status: 0 });
    expect(ended.stderr).toBe('lava-sync: the disk is full; trying again\n');
    expect(server.of('sync')).toHaveLength(7);
    expect(new Set(server.of('sync').map((request) => request.key)).size).toBe(1);
    expect(server.of('sync').every((request) => request.words[0] === 'ready')).toBe(true);
  });

  it('takes half an answer for none, so that a cache file never holds half a message', async ({
    board,
    server,
    expect,
  }) => {
    server.plan('wait', 'reset in mid-answer', 'ok\nwhole=yes\n');
    await board.run('lava-wait', 'x');
    expect(board.readCache()).toBe('whole=yes\n');
  });

  it('tries the servers of MUSTER_URL in order and stays with the one that works', async ({
    board,
    server,
    expect,
  }) => {
    const other = await FakeServer.open();
    const dead = other.url;
    await other.close();
    board.env.MUSTER_URL = `${dead} ${dead}/x  ${server.url}/`;
    server.plan('wait', 'wait\n', 'wait\n', 'ok\nk=v\n');
    expect(await board.run('lava-wait', 'x')).toMatchObject({ status: 0, stderr: '' });
    expect(server.of('wait')).toHaveLength(3);
  });

  it('begins with the server that answered last', async ({ board, server, expect }) => {
    const hung = await FakeServer.open();
    hung.plan('send', 'drop before an answer');
    board.env.MUSTER_URL = `${hung.url} ${server.url}`;
    for (const id of ['a', 'b', 'c'])
      expect(await board.run('lava-send', id)).toMatchObject({ status: 0, stderr: '' });
    const moved = await FakeServer.open();
    board.env.MUSTER_URL = moved.url;
    expect(await board.run('lava-send', 'd')).toMatchObject({ status: 0, stderr: '' });
    await moved.close();
    expect([hung.of('send').length, server.of('send').length]).toEqual([1, 3]);
    await hung.close();
  });

  it('uses a new key for each call', async ({ board, server, expect }) => {
    await Promise.all(Array.from({ length: 6 }, () => board.run('lava-send', 'same', 'k=v')));
    expect(new Set(server.of('send').map((request) => request.key)).size).toBe(6);
  });

  it('asks no proxy', async ({ board, expect }) => {
    for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'])
      board.env[name] = 'http://127.0.0.1:9';
    expect((await board.run('lava-send', 'x')).status).toBe(0);
  });

  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const) {
    it(`ends a wait at once on ${signal}: status ${status}, client gone, cache empty, server told`, async ({
      board,
      server,
      expect,
    }) => {
      fs.writeFileSync(board.cache, 'old=1\n');
      server.plan('wait', 'silent');
      const running = board.start('lava-wait', ['x'], ['-eu']);
      await until('the wait', () => server.of('wait').length === 1);
      running.child.kill(signal);
      expect(await running.finished).toMatchObject({ status, stdout: '', stderr: '' });
      const [held] = server.of('wait');
      expect(server.of('abandon')).toMatchObject([{ words: [held!.key] }]);
      expect(server.of('abandon')[0]!.key).not.toBe(held!.key);
      await until('the end of its client', () => held!.closed);
      expect(board.readCache()).toBe('');
      expect(fs.readdirSync(board.scratch)).toEqual([]);
    });
  }

  it('ends on a signal even when the server does not hear that the wait is abandoned', async ({
    board,
    server,
    expect,
  }) => {
    server.plan('sync', 'silent');
    server.plan('abandon', 'silent');
    const running = board.start('lava-sync', ['x']);
    await until('the sync', () => server.of('sync').length === 1);
    running.child.kill('SIGTERM');
    expect(await running.finished).toMatchObject({ status: 143 });
  });

  it('ends on a signal while no server answers', async ({ board, server, expect }) => {
    server.plan('send', 'drop before an answer');
    const running = board.start('lava-send', ['x']);
    await until('some tries', () => server.of('send').length >= 3);
    running.child.kill('SIGTERM');
    expect(await running.finished).toMatchObject({ status: 143 });
    expect(server.of('abandon')).toEqual([]);
  });

  it('lets timeout end a wait with its 124', async ({ board, server, expect, skip }) => {
    const timeout = find('timeout');
    if (!timeout) return skip('timeout is not installed');
    server.plan('wait', 'silent');
    const words = [timeout, '3', ...pair.shell, board.verb('lava-wait'), 'x'];
    expect(await start(words, board.env).finished).toMatchObject({ status: 124 });
    expect(server.of('abandon')).toHaveLength(1);
  });

  it('leaves a client that ends with its answer when the verb itself was killed', async ({
    board,
    server,
    expect,
  }) => {
    server.plan('wait', 'silent');
    const running = board.start('lava-wait', ['x']);
    await until('the wait', () => server.of('wait').length === 1);
    running.child.kill('SIGKILL');
    expect(await running.finished).toMatchObject({ signal: 'SIGKILL' });
    server.of('wait')[0]!.answer('wait\n');
    await until('the end of its client', () => server.of('wait')[0]!.closed);
    await board.run('lava-send', 'x');
    expect(server.of('wait')).toHaveLength(1);
  });

  it('gives up a connection that stays silent too long, and comes again', async ({
    board,
    server,
    expect,
  }) => {
    board.copyPrograms((text) =>
      text.replace(/^muster_silence_seconds=40/m, 'muster_silence_seconds=1'),
    );
    server.plan('wait', 'silent', 'ok\nk=v\n');
    expect(await board.run('lava-wait', 'x')).toMatchObject({ status: 0 });
    expect(server.of('wait')).toHaveLength(2);
    expect(board.readCache()).toBe('k=v\n');
  });

  it('leaves no file behind', async ({ board, server, expect }) => {
    server.plan('wait', 'ok\nk=v\n');
    await board.run('lava-wait', 'x');
    await board.run('lava-send', 'x');
    expect(fs.readdirSync(board.scratch)).toEqual([]);
    expect(fs.readdirSync(board.folder).sort()).toEqual(['cache.txt', 'home', 'path', 'tmp']);
  });
});
