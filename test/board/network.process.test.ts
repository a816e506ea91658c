// lava-network: what it broadcasts from a real interface, and what it answers from what it collected.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { Namespace } from './namespace.ts';
import { Board, boardTest, find, shellsOnly, start, usable } from './shells.ts';

const collected = `\
beagle:ipv4=10.1.1.2
beagle:mac=02:00:00:00:00:01
beagle:hostname=beaglebone
beagle:hostname-full=beaglebone.lab.example
panda02:ipv4=10.1.1.3
panda02:hostname=beagle
panda02:hostname-full=panda02
panda02:note=a=b: hostname=trap
`;
const group = 'beagle\tserver\npanda01\tclient\npanda02\tclient\nlate\tclient';

describe.concurrent.each(usable(shellsOnly))('lava-network, $name', (pair) => {
  const it = boardTest(pair);

  it('collects into its own cache file, from a role when one is named', async ({
    board,
    server,
    expect,
  }) => {
    fs.writeFileSync(board.cache, 'old=1\n');
    server.plan('wait-all', `ok\n${collected}`, 'refused no role x\n', 'fail late is missing\n');
    expect(await board.run('lava-network', 'collect', 'eth0')).toMatchObject({ status: 0 });
    expect(fs.readFileSync(board.networkCache, 'utf8')).toBe(collected);
    expect((await board.run('lava-network', 'collect', 'eth0', 'x')).status).toBe(1);
    expect(fs.readFileSync(board.networkCache, 'utf8')).toBe(collected);
    expect((await board.run('lava-network', 'collect', 'eth0', '')).status).toBe(1);
    expect(fs.readFileSync(board.networkCache, 'utf8')).toBe('');
    expect(board.readCache()).toBe('old=1\n');
    expect(server.of('wait-all').map((request) => request.words)).toEqual([
      ['network_info'],
      ['network_info', 'x'],
      ['network_info', ''],
    ]);
  });

  it('answers for names of lava-group first, then for host names', async ({ board, expect }) => {
    fs.writeFileSync(board.networkCache, collected);
    const answers: [string[], string][] = [
      [['beagle'], '10.1.1.2'], // a board of this name stands before a host of this name
      [['beagle', 'mac'], '02:00:00:00:00:01'],
      [['beaglebone'], '10.1.1.2'],
      [['beaglebone.lab.example', 'hostname'], 'beaglebone'],
      [['panda02', 'note'], 'a=b: hostname=trap'],
    ];
    for (const [words, answer] of answers)
      expect(await board.run('lava-network', 'query', ...words)).toMatchObject({
        status: 0,
        stdout: `${answer}\n`,
        stderr: '',
      });
  });

  it('exits 1 and says why for a host or a key that nobody broadcast', async ({
    board,
    expect,
  }) => {
    expect(await board.run('lava-network', 'query', 'beagle')).toMatchObject({ status: 1 });
    fs.writeFileSync(board.networkCache, collected);
    for (const host of ['nobody', 'trap', '*', 'b', ''])
      expect(await board.run('lava-network', 'query', host)).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(/^lava-network: nothing is known of .*\n$/),
      });
    expect(await board.run('lava-network', 'query', 'beagle', 'ipv6')).toMatchObject({
      status: 1,
      stderr: 'lava-network: beagle broadcast no ipv6\n',
    });
  });

  it('knows the caller, that never hears itself, after its broadcast', async ({
    board,
    server,
    expect,
  }) => {
    board.env.MUSTER_PLAIN_ADDRESS = '127.0.0.9';
    board.writeEnv(group);
    fs.writeFileSync(board.networkCache, collected);
    const sent = await board.run('lava-network', 'broadcast', 'eth77');
    expect(sent).toMatchObject({ status: 0, stdout: '' });
    expect(sent.stderr).toMatch(/^lava-network: no interface eth77: .*127\.0\.0\.9\n$/);
    expect(server.of('send')[0]!.words).toEqual([
      'network_info',
      'ipv4=127.0.0.9',
      'hostname=panda01',
    ]);
    expect((await board.run('lava-network', 'query', 'panda01')).stdout).toBe('127.0.0.9\n');
    expect((await board.run('lava-network', 'hosts')).stdout).toBe(
      '10.1.1.2\tbeaglebone.lab.example\n127.0.0.9\tpanda01\n10.1.1.3\tpanda02\n',
    );
    expect((await board.run('lava-network', 'alias-hosts')).stdout).toBe(
      '10.1.1.2\tbeaglebone.lab.example\tserver01\n' +
        '127.0.0.9\tpanda01\tclient01\n10.1.1.3\tpanda02\tclient02\n',
    );
  });

  it('takes no value for a pattern of file names', async ({ board, server, expect }) => {
    board.env.MUSTER_PLAIN_ADDRESS = '*';
    fs.writeFileSync(path.join(board.scratch, 'ipv4=trap'), '');
    const verb = [...pair.shell, board.verb('lava-network'), 'broadcast', 'eth77'];
    const words = ['/bin/sh', '-c', 'cd "$TMPDIR" && exec "$@"', 'x', ...verb];
    expect(await start(words, board.env).finished).toMatchObject({ status: 0 });
    expect(server.of('send')[0]!.words).toContain('ipv4=*');
  });

  it('appends hosts to a file, and says so when it cannot', async ({ board, expect }) => {
    board.writeEnv(group);
    fs.writeFileSync(board.networkCache, collected);
    const file = path.join(board.folder, 'hosts');
    fs.writeFileSync(file, '127.0.0.1 localhost\n');
    expect(await board.run('lava-network', 'hosts', file)).toMatchObject({ status: 0, stdout: '' });
    expect(fs.readFileSync(file, 'utf8')).toBe(
      '127.0.0.1 localhost\n10.1.1.2\tbeaglebone.lab.example\n10.1.1.3\tpanda02\n',
    );
    expect(await board.run('lava-network', 'hosts', '/no/such/file')).toMatchObject({
      status: 1,
      stderr: 'lava-network: cannot write /no/such/file\n',
    });
  });

  it('does not keep what the server refused', async ({ board, server, expect }) => {
    board.env.MUSTER_PLAIN_ADDRESS = '127.0.0.9';
    server.plan('send', 'refused too large\n');
    expect((await board.run('lava-network', 'broadcast', 'eth77')).status).toBe(1);
    expect((await board.run('lava-network', 'query', 'panda01')).status).toBe(1);
  });

  it('prints its usage for words that it does not know', async ({ board, expect }) => {
    for (const words of [
      [],
      ['go'],
      ['broadcast'],
      ['collect'],
      ['query'],
      ['query', 'a', 'b', 'c'],
    ])
      expect(await board.run('lava-network', ...words)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('Usage: lava-network broadcast <interface>'),
      });
  });
});

/** Programs that know interfaces, by the name under which a board has them. */
const tools: { name: string; links: Record<string, string | undefined> }[] = [
  { name: 'ip of iproute2', links: { ip: find('ip') } },
  {
    name: 'ifconfig and route of net-tools',
    links: { ifconfig: find('ifconfig'), route: find('route') },
  },
  { name: 'ip of busybox', links: { ip: find('busybox') } },
  {
    name: 'ifconfig and route of busybox',
    links: { ifconfig: find('busybox'), route: find('busybox') },
  },
  { name: 'busybox without links', links: { busybox: find('busybox') } },
];

describe('lava-network broadcast on a real interface', () => {
  let namespace: Namespace | undefined;
  let server: FakeServer;
  beforeAll(async () => {
    try {
      namespace = Namespace.open();
    } catch (error) {
      process.stderr.write(`skipped: no network namespace here: ${String(error)}\n`);
    }
    server = await FakeServer.open(namespace?.outside);
  });
  afterAll(async () => {
    await server.close();
    namespace?.close();
  });

  for (const pair of usable(shellsOnly)) {
    for (const tool of tools) {
      it(`sends plain addresses with ${tool.name}, ${pair.name}`, async ({ skip }) => {
        if (!namespace) return skip('no network namespace here');
        skip(Object.values(tool.links).includes(undefined), `${tool.name} is not installed`);
        const board = new Board(pair, server.url, ['hostname']);
        for (const [name, target] of Object.entries(tool.links))
          fs.symlinkSync(target!, path.join(board.path, name));
        server.reset();
        const call = (...words: string[]) =>
          start(
            namespace!
              .enter([...pair.shell, '-eu', board.verb('lava-network'), ...words])
              .map((word, at) => (at === 0 ? find(word)! : word)),
            board.env,
          ).finished;

        expect(await call('broadcast', 'eth0')).toMatchObject({ status: 0, stderr: '' });
        const [id, ...words] = server.of('send')[0]!.words;
        const optional = /^(hostname-full|dns_\d+)=./;
        expect(id).toBe('network_info');
        expect(words.filter((word) => !optional.test(word))).toEqual([
          `ipv4=${namespace.inside}`,
          'netmask=255.255.255.0',
          `broadcast=${namespace.inside.replace(/\d+$/, '255')}`,
          'ipv6=fd12:3456::7',
          'mac=02:ab:cd:ef:00:01',
          `hostname=${os.hostname()}`,
          `default-gateway=${namespace.outside}`,
        ]);
        const file = '/etc/resolv.conf';
        const resolver = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
        const servers = [...resolver.matchAll(/^nameserver\s+(\S+)/gm)].map((found) => found[1]);
        expect(words.filter((word) => word.startsWith('dns_'))).toEqual(
          servers.map((address, at) => `dns_${at + 1}=${address}`),
        );
        expect((await call('query', 'panda01', 'mac')).stdout).toBe('02:ab:cd:ef:00:01\n');

        expect(await call('broadcast', 'eth1')).toMatchObject({
          status: 0,
          stderr: 'lava-network: interface eth1 has no IPv4 address\n',
        });
        for (const wrong of ['eth9', '-a', ''])
          expect(await call('broadcast', wrong)).toMatchObject({
            status: 1,
            stderr: `lava-network: no interface ${wrong} on this board\n`,
          });
        expect(server.of('send')).toHaveLength(2);
        board.remove();
      });
    }
  }
});

describe('the mask of a prefix', () => {
  it('is right for every length', async () => {
    const file = path.join(import.meta.dirname, '../../board/lib/interface.sh');
    const script = `. '${file}'; for n in $(seq 0 32); do interface_mask_of $n; echo $interface_netmask; done`;
    const { stdout } = await start(['/bin/sh', '-c', script], { PATH: process.env.PATH ?? '' })
      .finished;
    const expected = Array.from({ length: 33 }, (_, length) => {
      const bits = '1'.repeat(length).padEnd(32, '0');
      return (bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)).join('.');
    });
    expect(stdout.trim().split('\n')).toEqual(expected);
  });
});
