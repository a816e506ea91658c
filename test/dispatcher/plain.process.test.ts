/** Boards without namespaces: private folders, a warning that says what is lost, and nothing left over. */
import { afterEach, expect, test } from 'vitest';
import { processId } from '../../dispatcher/drivers/processes.ts';
import { boot, commands, deploy, Lab, leftovers, until } from './harness.ts';

let lab: Lab;
afterEach(() => lab.close());
const open = async (...devices: string[]) => {
  lab = new Lab(devices, { local: { namespaces: false } });
  return lab.open();
};

test('a plain lab says once what is lost, and has no gateway', async () => {
  const dispatcher = await open('panda01', 'panda02');
  expect(dispatcher.boardsAre).toBe('plain');
  expect(dispatcher.gateway).toBeUndefined();
  const warnings = lab.logged.filter(({ level }) => level === 'warn');
  expect(warnings.map(({ message }) => message)).toEqual([
    expect.stringMatching(/no network, host name, root file system or process tree/),
  ]);
  expect(dispatcher.addressOf('panda01')).toMatch(/^127\.0\.\d+\.\d+$/);
  expect(dispatcher.addressOf('panda01')).not.toBe(dispatcher.addressOf('panda02'));
});

test('a plain board has its verbs in PATH and folders of its own, and nothing of it is left', async () => {
  await open('panda01', 'panda02');
  const look = commands(
    'echo "self $(lava-self)"',
    'echo here > $TMPDIR/mine; echo "home $HOME $(ls $TMPDIR)"',
    'echo "address $MUSTER_PLAIN_ADDRESS"',
    'echo k=v > "$LAVA_MULTI_NODE_CACHE"; echo "caches $LAVA_MULTI_NODE_CACHE $LAVA_MULTI_NODE_NETWORK_CACHE"',
    '(setsid sleep 1000 &) ; (env -i sleep 1000 &)',
  );
  const actions = [deploy('host:'), boot(), look];
  lab.server.allocate(1, [
    { device: 'panda01', actions },
    { device: 'panda02', actions },
  ]);
  expect(await lab.ends(1)).toEqual({ panda01: 'complete', panda02: 'complete' });
  for (const device of ['panda01', 'panda02']) {
    const text = lab.console(1, device);
    expect(text).toContain(`\nself ${device}\n`);
    expect(text).toContain(`\nhome ${lab.dataDir}/boards/${device}/`);
    expect(text).toContain(`\naddress ${lab.dispatcher?.addressOf(device)}\n`);
    expect(text).toContain(`\ncaches ${lab.dataDir}/boards/${device}/`);
  }
  await lab.empty();
  expect(await leftovers(lab)).toEqual([]);
});

test('a plain board whose script kills its shell ends as failed', async () => {
  await open('panda01');
  const kill = 'kill -9 $(cut -d " " -f 4 /proc/$PPID/stat); sleep 1000';
  lab.server.allocate(1, [{ device: 'panda01', actions: [commands(kill)] }]);
  expect((await lab.ends(1)).panda01).toMatch(/the shell of the board ended \(status 137\)/);
  await lab.empty();
  expect(await leftovers(lab)).toEqual([]);
});

test('a plain board with processes that hide their mark is still taken down whole', async () => {
  await open('panda01');
  const actions = [commands("env -i sh -c 'sleep 1000; :' & echo hidden $!", 'sleep 1000')];
  lab.server.allocate(1, [{ device: 'panda01', actions }]);
  await until(
    () => lab.console(1, 'panda01').includes('+ sleep'),
    () => lab.console(1, 'panda01'),
  );
  const hidden = Number(/^hidden (\d+)$/m.exec(lab.console(1, 'panda01'))?.[1]);
  expect(processId(hidden)).toBeDefined();
  lab.server.end(1, 'panda01', 'cancelled');
  await lab.empty();
  expect(processId(hidden)).toBeUndefined();
  expect(await leftovers(lab)).toEqual([]);
});

test('a plain board whose first process was killed is still taken down whole', async () => {
  await open('panda01');
  const parent = (of: string) => `$(cut -d " " -f 4 /proc/${of}/stat)`;
  const actions = [
    commands(
      "env -i sh -c 'sleep 1000; :' & echo hidden $!",
      `kill -9 ${parent(parent('$PPID'))}; sleep 1000`,
    ),
  ];
  lab.server.allocate(1, [{ device: 'panda01', actions }]);
  expect((await lab.ends(1)).panda01).toMatch(/the board ended before its tests were through/);
  const hidden = Number(/^hidden (\d+)$/m.exec(lab.console(1, 'panda01'))?.[1]);
  await lab.empty();
  expect(processId(hidden)).toBeUndefined();
  expect(await leftovers(lab)).toEqual([]);
});

test('a plain board refuses an image of its own', async () => {
  await open('panda01');
  lab.server.allocate(1, [{ device: 'panda01', actions: [deploy('file:///x.tar')] }]);
  expect((await lab.ends(1)).panda01).toContain('only "host:" can be deployed');
});

test('a dispatcher that stops gracefully leaves its boards running, unless it is told otherwise', async () => {
  const first = await open('panda01');
  lab.server.allocate(1, [{ device: 'panda01', actions: [commands('echo begun', 'sleep 1000')] }]);
  await until(
    () => lab.console(1, 'panda01').includes('+ sleep'),
    () => lab.console(1, 'panda01'),
  );
  await first.stop({ killBoards: false });
  expect(await leftovers(lab)).not.toEqual([]);
  const second = await lab.open();
  await until(
    () => lab.console(1, 'panda01').includes('taken up again'),
    () => lab.console(1, 'panda01'),
  );
  await second.stop({ killBoards: true });
  expect(await leftovers(lab)).toEqual([]);
  expect(lab.server.member(1, 'panda01').end).toBeUndefined();
});

test('a report that cannot be made durable is made again until it can', async () => {
  await open('panda01');
  lab.server.reportError = Object.assign(new Error('disk full'), { code: 'store-unavailable' });
  lab.server.allocate(1, [{ device: 'panda01', actions: [commands('echo hello')] }]);
  const told = () => lab.logged.some(({ message }) => message.includes('not durable yet'));
  await until(told, () => JSON.stringify(lab.logged));
  expect(lab.server.reports).toEqual([]);
  lab.server.reportError = undefined;
  expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
});

test('a report that comes after the end of its job is dropped, and nobody is told to wait for it', async () => {
  await open('panda01');
  const { server } = lab;
  const late: string[] = [];
  server.report = async (job, { type }) => {
    late.push(type);
    throw Object.assign(new Error(`job ${job} has ended cancelled`), { code: 'job-ended' });
  };
  server.allocate(1, [{ device: 'panda01', actions: [commands('echo hello')] }]);
  await until(
    () => late.length > 0,
    () => JSON.stringify(lab.logged),
  );
  server.end(1, 'panda01', 'cancelled');
  await lab.empty();
  expect(late).toHaveLength(1);
  expect(lab.logged.filter(({ message }) => message.includes('durable'))).toEqual([]);
});

test('a step that has ended is not run again for a server that does not see it yet', async () => {
  await open('panda01');
  const { server } = lab;
  const now = server.owed.bind(server);
  let seen: Awaited<ReturnType<typeof now>> = [];
  // It sees what happened some time later, and says so then.
  server.onChange(() => {
    setTimeout(async () => {
      const before = JSON.stringify(seen);
      seen = await now();
      if (JSON.stringify(seen) !== before) server.changed();
    }, 100);
  });
  server.owed = async () => seen;
  const actions = [deploy('host:'), boot(), commands('echo hello')];
  server.allocate(1, [{ device: 'panda01', actions }]);
  expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
  await lab.empty();
  expect(lab.console(1, 'panda01').match(/^muster: (deploying|booting)/gm)).toHaveLength(2);
});
