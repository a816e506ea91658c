/** What the boards of one job reach: each other, the boards' door, and nothing else. Real namespaces, real sockets. */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filterLack } from '../../dispatcher/drivers/door-filter.ts';
import { macOf } from '../../dispatcher/drivers/subnet.ts';
import { shellQuoted } from '../../dispatcher/programs.ts';
import { commands, hashOf, Lab, leftovers, namespacesSkipped, until } from './harness.ts';

const lack = (await namespacesSkipped()) ?? (await filterLack());
if (lack !== undefined) console.log(`skipped: what boards reach: ${lack}`);

const node = shellQuoted(process.execPath);
/** On a board: a service that says its name to whoever comes. */
const serve = (port: number) =>
  `${node} -e 'require("net").createServer((s) => s.end(process.argv[1] + "\\n")).listen(${port}, () => console.log("serves"))' "$(hostname)" & while :; do sleep 1; done`;
const ASK = `
const [host, port, from] = process.argv.slice(1);
const end = (text) => { process.stdout.write(text); process.exit(0); };
const socket = require("net").connect({ host, port: Number(port), ...(from && { localAddress: from }) });
socket.on("data", (bytes) => end(String(bytes)));
socket.on("connect", () => socket.write("GET / HTTP/1.0\\r\\n\\r\\n"));
socket.on("error", () => end("-"));
setTimeout(() => end("-"), 1500);
`.replace(/\n/g, ' ');
/** On a board: prints `<name>: <what came>`, or `<name>: -` when nothing did. */
const ask = (name: string, host: string, port: number, from = '') =>
  `echo "${name}: $(${node} -e '${ASK}' "${host}" ${port} ${from} | head -n 1)"`;

let lab: Lab;
const services: Server[] = [];
beforeEach(() => {
  lab = new Lab(['panda01', 'panda02', 'panda03', 'panda04']);
});
afterEach(async () => {
  for (const service of services.splice(0)) service.close();
  await lab.close();
});

/** A service of this machine; gives its port. */
async function service(host: string): Promise<number> {
  const server = createServer((socket) => socket.end('a service of the machine\n'));
  services.push(server);
  await new Promise<void>((done) => server.listen(0, host, done));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** What a service says to this machine itself. */
const asked = (host: string, port: number) =>
  new Promise<string>((resolve) => {
    let said = '';
    connect({ host, port })
      .on('data', (chunk) => {
        said += chunk;
      })
      .on('error', () => resolve('-'))
      .on('close', () => resolve(said.trim()));
  });

const addressOf = (device: string) => lab.dispatcher?.addressOf(device) ?? '';
const gateway = () => lab.dispatcher?.gateway?.address ?? '';

async function printed(job: number, device: string, text: string): Promise<void> {
  await until(
    () => lab.console(job, device).includes(text),
    () => lab.console(job, device).slice(-2_000),
  );
}

/** Job 1: `panda01` serves on 8000 without end; then `panda02`, of its group, runs these. */
async function jobThatServes(...peer: string[]): Promise<void> {
  await lab.open();
  lab.server.allocate(1, [
    { device: 'panda01', actions: [commands(serve(8000))] },
    { device: 'panda02', actions: [] },
  ]);
  await printed(1, 'panda01', '\nserves\n');
  lab.server.member(1, 'panda02').actions.push(commands(...peer, 'while :; do sleep 1; done'));
  lab.server.changed();
}

/** How many answers to pings a board has had, whoever pinged. */
function echoReplies(device: string): number {
  const state = readFileSync(join(lab.dataDir, 'boards', device, 'state.json'), 'utf8');
  const { pid } = JSON.parse(state).process;
  const words = ['-t', String(pid), '-n', 'grep', '^Icmp:', '/proc/net/snmp'];
  const [names = [], values = []] = execFileSync('nsenter', words, { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('InEchoReps')]);
}

/** The lines `name: ...` of a console. */
const answers = (job: number, device: string): Record<string, string> =>
  Object.fromEntries(
    [...lab.console(job, device).matchAll(/^([a-z0-9 ]+): (.*)$/gm)]
      .map((match) => [match[1] ?? '', match[2] ?? ''] as const)
      .filter(([name]) => name !== 'muster'),
  );

describe.skipIf(lack !== undefined)('the boards of one job', () => {
  test('reach each other by name, and their door', async () => {
    await jobThatServes(ask('peer', 'panda01', 8000), 'echo "self $(lava-self)"');
    await printed(1, 'panda02', '\nself panda02\n');
    expect(answers(1, 'panda02')).toMatchObject({ peer: 'panda01' });
  });

  test('are not reached by those of another job, by address or broadcast', async () => {
    await jobThatServes();
    const [first] = [addressOf('panda01')];
    lab.server.allocate(2, [
      {
        device: 'panda03',
        actions: [
          commands(
            ask('other job', first, 8000),
            `ping -c 1 -W 1 ${first} >/dev/null && echo 'ping: yes' || echo 'ping: -'`,
            `ip neigh replace ${first} lladdr ${macOf(gateway())} dev eth0; ${ask('through the gateway', first, 8000)}`,
            `ip neigh replace ${first} lladdr ${macOf(first)} dev eth0; ${ask('by its mac', first, 8000)}`,
            `ping -b -c 2 -W 1 ${gateway().replace(/\d+$/, '255')} 2>&1 | grep -q 'from ${first}' && echo 'broadcast: yes' || echo 'broadcast: -'`,
          ),
        ],
      },
    ]);
    expect(await lab.ends(2)).toEqual({ panda03: 'complete' });
    expect(answers(2, 'panda03')).toMatchObject({
      'other job': '-',
      ping: '-',
      'through the gateway': '-',
      'by its mac': '-',
      broadcast: '-',
    });
  });

  test('keep their addresses when a board of another job takes one', async () => {
    await jobThatServes();
    const first = addressOf('panda01');
    const { port } = lab.server;
    lab.server.allocate(2, [
      {
        device: 'panda03',
        actions: [
          commands(
            `ip link set eth0 address ${macOf(first)}; ip addr add ${first}/24 dev eth0; ip route replace default via ${gateway()}`,
            `for i in 1 2 3; do ping -c 1 -W 1 -I ${first} ${gateway()} && echo 'ping as the other: yes' && break; done || :`,
            ask('the door as itself', gateway(), port),
            ask('the door as the other', gateway(), port, first),
            `${serve(8000)}`,
          ),
        ],
      },
    ]);
    await printed(2, 'panda03', '\nserves\n');
    const said = answers(2, 'panda03');
    expect(said['ping as the other']).toBeUndefined();
    expect(said['the door as itself']).toContain('HTTP/1.1 200');
    expect(said['the door as the other']).toBe('-');
    expect(echoReplies('panda01')).toBe(0);
    // Whoever asks for that address still finds the board whose it is.
    expect(await asked(first, 8000)).toBe('panda01');
  });

  test('reach of this machine their door alone, at whatever address and protocol', async () => {
    const other = new Lab(['panda01']);
    try {
      await other.open();
      await lab.open();
      const elsewhere = other.dispatcher?.gateway?.address ?? '';
      const open = await service('0.0.0.0');
      const own = await service(gateway());
      const elsewhereOnly = await service(elsewhere);
      const six = await service('::');
      const heard: string[] = [];
      const udp = createSocket('udp4', (message) => void heard.push(String(message)));
      await new Promise<void>((done) => udp.bind(0, '0.0.0.0', done));
      for (const [host, port] of [
        [gateway(), open],
        [gateway(), own],
        [elsewhere, open],
        [elsewhere, elsewhereOnly],
      ] as const)
        expect(await asked(host, port), `${host}:${port}`).toBe('a service of the machine');
      const mac = macOf(gateway()).split(':');
      const link = `fe80::${mac[1]}:${mac[2]}ff:fe${mac[3]}:${mac[4]}${mac[5]}%eth0`;
      lab.server.allocate(1, [
        {
          device: 'panda01',
          actions: [
            commands(
              `ip route get ${elsewhere} >/dev/null; ${node} -e 'const s = require("dgram").createSocket("udp4"); s.send("hello", ${udp.address().port}, "${gateway()}", () => s.close())'`,
              ask('door', gateway(), lab.server.port),
              ask('all addresses', gateway(), open),
              ask('the gateway', gateway(), own),
              ask('another address', elsewhere, open),
              ask('another address alone', elsewhere, elsewhereOnly),
              ask('ipv6', link, six),
              `ping -c 1 -W 2 ${gateway()} >/dev/null && echo 'ping: yes' || echo 'ping: -'`,
            ),
          ],
        },
      ]);
      expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
      expect(answers(1, 'panda01')).toMatchObject({
        door: expect.stringContaining('HTTP/1.1 200'),
        'all addresses': '-',
        'the gateway': '-',
        'another address': '-',
        'another address alone': '-',
        ipv6: '-',
        ping: 'yes',
      });
      expect(heard).toEqual([]);
      udp.close();
    } finally {
      await other.close();
    }
  });

  test('reach a server that comes back at another port, and the machine reaches them', async () => {
    const next = await service('127.0.0.1');
    services.pop()?.close();
    const again = ask('next', '$(ip route | sed -n "s/default via \\([^ ]*\\).*/\\1/p")', next);
    await jobThatServes(`while :; do ${again}; sleep 0.05; done`);
    await printed(1, 'panda02', '\nnext: -\n');
    await lab.dispatcher?.stop({ killBoards: false });
    await lab.server.close();
    await lab.server.listen(next);
    await lab.open();
    await printed(1, 'panda02', '\nnext: HTTP/1.1 200');
    expect(await asked(addressOf('panda01'), 8000)).toBe('panda01');
  });

  test('leave no bridge, link or route when their job is over, and those of another job stay', async () => {
    await jobThatServes();
    lab.server.allocate(2, [{ device: 'panda03', actions: [commands('sleep 1000')] }]);
    await printed(2, 'panda03', '+ sleep');
    const bridges = () =>
      Object.keys(networkInterfaces()).filter((name) =>
        name.startsWith(`m${hashOf(lab).slice(0, 8)}j`),
      );
    expect(bridges().sort()).toEqual(['j1', 'j2'].map((j) => `m${hashOf(lab).slice(0, 8)}${j}`));
    for (const device of ['panda01', 'panda02']) lab.server.end(1, device, 'cancelled');
    await until(
      () => bridges().length === 1,
      () => bridges().join(' '),
    );
    expect(bridges()).toEqual([`m${hashOf(lab).slice(0, 8)}j2`]);
    lab.server.end(2, 'panda03', 'cancelled');
    await lab.empty();
    expect(await leftovers(lab)).toEqual([]);
    expect(bridges()).toEqual([]);
    const routes = execFileSync('ip', ['-4', 'route'], { encoding: 'utf8' });
    expect(routes).not.toContain(`${addressOf('panda01')} `);
  });
});

describe.skipIf(lack !== undefined)('a bridge that the lab made itself', () => {
  const name = `mtest${process.pid}`.slice(0, 15);
  afterEach(() => {
    execFileSync('ip', ['link', 'del', 'dev', name]);
  });

  test('is taken as it is for the boards of all jobs, is not removed, and the server says so', async () => {
    execFileSync('ip', ['link', 'add', 'name', name, 'type', 'bridge']);
    lab.given.bridge = { name, subnet: '10.127.77.0/24' };
    await jobThatServes();
    lab.server.allocate(2, [
      { device: 'panda03', actions: [commands(ask('other job', addressOf('panda01'), 8000))] },
    ]);
    expect(await lab.ends(2)).toEqual({ panda03: 'complete' });
    expect(answers(2, 'panda03')).toMatchObject({ 'other job': 'panda01' });
    expect(lab.logged.filter(({ level }) => level === 'warn').map((l) => l.message)).toEqual([
      expect.stringContaining(`the bridge ${name} was here before this server`),
    ]);
    await lab.dispatcher?.stop({ killBoards: true });
    expect(
      execFileSync('ip', ['-br', 'link', 'show', 'dev', name], { encoding: 'utf8' }),
    ).toContain(name);
  });
});
