/** An operator and jobs at one board: a job comes first, and nobody has it with another. */
import { afterEach, describe, expect, test } from 'vitest';
import { commands, Lab, until } from './harness.ts';

let lab: Lab;
afterEach(() => lab.close());

async function opened() {
  lab = new Lab(['panda01'], { local: { namespaces: false } });
  const { hands } = await lab.open();
  let printed = '';
  let ended: string | undefined;
  const operator = {
    printed: async (bytes: Uint8Array) => {
      printed += Buffer.from(bytes).toString('latin1');
    },
    ended: (reason: string) => {
      ended = reason;
    },
  };
  const over = () =>
    until(
      () => ended !== undefined,
      () => printed,
    );
  return { hands, operator, over, ended: () => ended, never: new AbortController().signal };
}

describe('an operator at a board', () => {
  test('has to go when a job gets it, and the job runs', async () => {
    const { hands, operator, over, ended } = await opened();
    await hands.openConsole('panda01', 'alice', operator);
    lab.server.allocate(1, [{ device: 'panda01', actions: [commands('echo "it is mine"')] }]);
    await over();
    expect(ended()).toBe('job 1 has the board now');
    expect(await lab.ends(1)).toEqual({ panda01: 'complete' });
    expect(lab.console(1, 'panda01')).toContain('it is mine');
    await lab.empty();
  });

  test('is refused its power and its console while a job has it, and has both afterwards', async () => {
    const { hands, operator, never } = await opened();
    lab.server.allocate(1, [{ device: 'panda01', actions: [commands('sleep 1000')] }]);
    await until(
      () => lab.console(1, 'panda01').includes('sleep 1000'),
      () => lab.console(1, 'panda01'),
    );
    const refusal = { code: 'not-idle', message: 'job 1 has panda01: cancel it first' };
    await expect(hands.openConsole('panda01', 'alice', operator)).rejects.toMatchObject(refusal);
    await expect(hands.power('panda01', 'off', never)).rejects.toMatchObject(refusal);
    lab.server.end(1, 'panda01', 'cancelled');
    await lab.empty();
    const console = await hands.openConsole('panda01', 'alice', operator);
    await expect(hands.openConsole('panda01', 'bob', operator)).rejects.toMatchObject({
      ...{ code: 'console-taken', message: 'alice has the console of panda01' },
    });
    await console.leave();
    await lab.empty();
  });

  test('ends with a stop of whoever drives it', async () => {
    const { hands, operator, ended } = await opened();
    await hands.openConsole('panda01', 'alice', operator);
    await lab.dispatcher?.stop({ killBoards: false });
    expect(ended()).toBeDefined();
    await lab.empty();
  });

  test('that its worker does not have is refused in words', async () => {
    const { hands, never } = await opened();
    await expect(hands.power('panda99', 'off', never)).rejects.toMatchObject({
      code: 'not-possible',
    });
  });
});
