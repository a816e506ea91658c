/** Every driver under the one contract, and boards of several kinds in the hands of one worker. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { networkOf } from '../../dispatcher/drivers/bridge.ts';
import type { OpenDriver } from '../../dispatcher/drivers/driver.ts';
import { openLocalDriver } from '../../dispatcher/drivers/local/local.ts';
import { registry } from '../../dispatcher/drivers/registry.ts';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { describeDriver } from './driver-contract.ts';
import { commands, Lab, namespacesSkipped, until } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { openNullDriver } from './null-driver.ts';

const local = { processes: 256 };
const plain = { ...local, namespaces: false };
const open =
  (options: typeof local | typeof plain): OpenDriver =>
  (context) =>
    openLocalDriver(context, { ...options, network: networkOf({}) });

if ((await namespacesSkipped()) === undefined)
  describeDriver('a local board', 'local', { open: open(local) });
describeDriver('a local board without namespaces', 'local', {
  open: open(plain),
});
describeDriver('a board that is nothing but a shell', 'null', {
  open: openNullDriver,
  skipped: {
    'runs on when its worker lets go of it': 'it is a child of its worker',
    'has the lab’s commands run before its power, with its shell, and when it is off':
      'no lab has such boards',
  },
});

describe('a worker with boards of two kinds', () => {
  let lab: Lab;
  afterEach(() => lab.close());
  const board = (name: string, driver: string) => ({
    ...{ name, driver, type: driver, tags: [], image: 'host:' },
  });
  const drivers = new Map([...registry({ bridge: {}, local: plain }), ['null', openNullDriver]]);
  const kinds = ['local', 'null'].map((kind) => board(`${kind}01`, kind));

  test('drives them in one group, and each leaves nothing', async () => {
    lab = new Lab(['local01', 'null01'], { drivers, boards: kinds });
    const dispatcher = await lab.open();
    expect(dispatcher.boardsAre).toBe('plain, shells');
    expect(dispatcher.addressOf('local01')).toMatch(/^127\.0\.2\./);
    expect(dispatcher.addressOf('null01')).toBe('127.0.0.1');
    const actions = [commands('echo "I am $(lava-self)"')];
    lab.server.allocate(
      1,
      kinds.map(({ name: device }) => ({ device, actions })),
    );
    expect(await lab.ends(1)).toEqual({ local01: 'complete', null01: 'complete' });
    for (const { name } of kinds) expect(lab.console(1, name)).toContain(`\nI am ${name}\n`);
    await lab.empty();
  });

  test('opens no driver for a kind that it has no board of', async () => {
    lab = new Lab(['null01'], { drivers, boards: [board('null01', 'null')] });
    expect((await lab.open()).boardsAre).toBe('shells');
  });

  test('forgets the drivers of an earlier reading of its lab once no board is by them', async () => {
    let closed = 0;
    const counted: OpenDriver = async (context) => {
      const driver = await openNullDriver(context);
      driver.close = async () => {
        closed += 1;
      };
      return driver;
    };
    lab = new Lab(['null01'], {
      drivers: new Map([['null', counted]]),
      boards: [board('null01', 'null')],
    });
    const dispatcher = await lab.open();
    lab.server.allocate(1, [{ device: 'null01', actions: [commands('sleep 1000')] }]);
    await until(
      () => lab.console(1, 'null01').includes('+ sleep'),
      () => lab.console(1, 'null01'),
    );
    const limits = { consoleBytes: 1_000_000, bootSeconds: 20, ...SOURCE_LIMITS };
    for (const name of ['null02', 'null03', 'null04'])
      await dispatcher.change(
        {
          ...{ limits, allowFiles: [], drivers: new Map([['null', counted]]) },
          boards: [board('null01', 'null'), board(name, 'null')],
        },
        async () => {},
      );
    await until(
      () => dispatcher.addressOf('null03') === undefined,
      () => 'a board that left the lab is still there',
    );
    // That of the job, and that of now.
    await dispatcher.stop({ killBoards: true });
    expect(closed).toBe(2);
  });

  test('clears away what an earlier life left of a kind that the lab has no more', async () => {
    lab = new Lab(['panda01'], { drivers, boards: [board('panda01', 'local')] });
    const first = await lab.open();
    lab.server.allocate(1, [{ device: 'panda01', actions: [commands('sleep 1000')] }]);
    await until(
      () => lab.console(1, 'panda01').includes('+ sleep'),
      () => lab.console(1, 'panda01'),
    );
    await first.stop({ killBoards: false });
    lab.server.end(1, 'panda01', 'cancelled');
    lab.given.boards = [board('panda01', 'null')];
    const second = await lab.open();
    expect(second.boardsAre).toBe('plain, shells');
    await lab.empty();
  });

  test('is refused when one of its boards is of a kind that nobody can drive', async () => {
    lab = new Lab(['x01'], { drivers, boards: [board('x01', 'x')] });
    await expect(lab.open()).rejects.toThrow(/no driver for boards of the kind x/);
  });
});

describe('the lab’s commands around a local board', () => {
  let lab: Lab;
  afterEach(() => lab.close());

  test('run before its power, with its shell, and when it is off', async () => {
    lab = new Lab(['panda01'], { local: { namespaces: false } });
    const said = join(lab.folder, 'said');
    const say = (word: string) => `echo "${word} $MUSTER_DEVICE $MUSTER_JOB" >>${said}`;
    const settings = settingsOf({
      commands: {
        pre_boot: say('pre'),
        post_boot: `echo shown; ${say('post')}`,
        cleanup: say('clean'),
      },
    });
    lab.given.boards = [
      { name: 'panda01', type: 'p', tags: [], driver: 'local', image: 'host:', settings },
    ];
    await lab.open();
    const actions = [commands(`echo test >>${said}`)];
    lab.server.allocate(1, [{ device: 'panda01', actions }]);
    expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
    await lab.empty();
    const lines = ['pre panda01 1', 'post panda01 1', 'test', 'clean panda01 1'];
    expect(readFileSync(said, 'utf8').trim().split('\n')).toEqual(lines);
    expect(lab.console(1, 'panda01')).toContain('muster: post_boot: shown\n');
  });

  test('that fail before its power fail its boot', async () => {
    const settings = settingsOf({ commands: { pre_boot: 'echo "no fan" >&2; exit 1' } });
    lab = new Lab(['panda01'], {
      local: { namespaces: false },
      boards: [{ name: 'panda01', type: 'p', tags: [], driver: 'local', image: 'host:', settings }],
    });
    await lab.open();
    lab.server.allocate(1, [{ device: 'panda01', actions: [commands('true')] }]);
    expect((await lab.ends(1)).panda01).toBe(
      "the board did not boot: the lab's pre_boot ended with status 1: no fan",
    );
  });
});
