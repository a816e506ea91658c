/** A member that has ended: its board is off before anything else, and its last words stand at the end, once. */
import { afterEach, expect, test } from 'vitest';
import type { Driver, OpenDriver } from '../../dispatcher/drivers/driver.ts';
import { commands, Lab, until } from './harness.ts';
import { openNullDriver } from './null-driver.ts';

let lab: Lab;
afterEach(() => lab.close());

const TICKING = 'echo begun; while :; do echo tick; sleep 0.01; done';
const ticks = () => lab.console(1, 'shell01').split('\ntick').length - 1;

/** One board that is nothing but a shell, with a job that prints without end. `change`: what a test changes of its driver. */
async function ticking(change: (driver: Driver) => void = () => undefined): Promise<void> {
  const open: OpenDriver = async (context) => {
    const driver = await openNullDriver(context);
    change(driver);
    return driver;
  };
  const board = { name: 'shell01', type: 'shell', tags: [], driver: 'null', image: 'host:' };
  lab = new Lab(['shell01'], { boards: [board], drivers: new Map([['null', open]]) });
  await lab.open();
  lab.server.allocate(1, [{ device: 'shell01', actions: [commands(TICKING)] }]);
  await until(
    () => ticks() > 0,
    () => lab.console(1, 'shell01'),
  );
}

test('a board whose member has ended is off before the server is asked for its last words', async () => {
  const order: string[] = [];
  await ticking((driver) => {
    const powerOff = driver.powerOff.bind(driver);
    driver.powerOff = async (device) => {
      await powerOff(device);
      order.push('off');
    };
  });
  order.splice(0);
  const { server } = lab;
  const ended = server.ended.bind(server);
  server.ended = async (job, device) => {
    order.push('asked');
    return ended(job, device);
  };
  server.end(1, 'shell01', 'cancelled', ['shell01 ended cancelled']);
  await lab.empty();
  expect(order.indexOf('off')).toBeLessThan(order.indexOf('asked'));
  expect(lab.console(1, 'shell01')).toMatch(/\nmuster: shell01 ended cancelled\n$/);
});

test('a board whose member has ended is off though its step still waits for the server', async () => {
  let driver: Driver | undefined;
  await ticking((opened) => {
    driver = opened;
  });
  const { server } = lab;
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let reporting = false;
  server.report = async () => {
    reporting = true;
    await held;
    throw Object.assign(new Error('it has ended'), { code: 'member-ended' });
  };
  // A step that has begun to say something, and is not answered.
  const member = server.member(1, 'shell01');
  member.next = 1;
  member.actions.push(commands('echo never'));
  server.changed();
  await until(
    () => reporting,
    () => 'no report',
  );
  server.end(1, 'shell01', 'cancelled', ['shell01 ended cancelled']);
  const seat = { job: 1, device: 'shell01', lease: 'lease-1', group: [] };
  await until(
    () => driver?.alive(seat) === false,
    () => 'it is on',
  );
  const before = ticks();
  expect(lab.console(1, 'shell01')).not.toContain('shell01 ended');
  letGo();
  await lab.empty();
  expect(ticks()).toBe(before);
  expect(lab.console(1, 'shell01')).toMatch(/\nmuster: shell01 ended cancelled\n$/);
});

test('a board that does not go away at once has its last words on its console once', async () => {
  let tries = 0;
  await ticking((driver) => {
    const tearDown = driver.tearDown.bind(driver);
    driver.tearDown = async (device) => {
      tries += 1;
      if (tries === 2 || tries === 3) throw new Error('busy');
      await tearDown(device);
    };
  });
  const lines = ['shell01 ended failed', 'its script went on'];
  lab.server.end(1, 'shell01', 'failed', lines);
  await lab.empty();
  expect(tries).toBeGreaterThan(3);
  expect(lab.console(1, 'shell01').match(/^muster: shell01 ended failed$/gm)).toHaveLength(1);
  expect(lab.console(1, 'shell01')).toMatch(/\nmuster: its script went on\n$/);
});
