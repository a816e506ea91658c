/** A member that has ended hears nothing more, however its wait or its next call would have been answered (SEMANTICS 2.4). */
import { describe, expect, it } from 'vitest';
import { allocated, booted, call, jobOf, startEngine, user } from './bench.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

const LIMIT_SECONDS = 60;

async function waiting(words: string) {
  const time = new VirtualClock();
  const { engine } = await startEngine({ clock: time.clock });
  const definition = jobOf({ server: 1, client: 1 });
  const actions = definition.actions.map((action) => ({
    ...action,
    timeoutSeconds: LIMIT_SECONDS,
  }));
  const id = await allocated(engine, { ...definition, actions });
  const [server = '', client = ''] = await booted(engine, id);
  let answer: unknown = 'nothing yet';
  const gone = new AbortController();
  void call(engine, id, client, words, 'its-own-key', gone.signal).then((end) => {
    answer = end;
  });
  await quiet();
  return { time, engine, id, server, client, gone, heard: () => answer };
}

describe('the open wait of a member', () => {
  it.each([
    ['its action is cut off', async ({ time }: Waiting) => time.pass(LIMIT_SECONDS * 1000 + 1)],
    ['its job is cancelled', async ({ engine, id }: Waiting) => engine.cancel(id, 'enough', user)],
    [
      'it raises',
      async ({ engine, id, client }: Waiting) =>
        engine.member(id, { type: 'RaiseMember', member: client, reason: 'no disk' }, user),
    ],
  ])('is not answered when %s, and neither is a retry', async (_, end) => {
    const is = await waiting('wait never');
    await end(is);
    await quiet();
    expect(is.heard()).toBe('nothing yet');
    const retry = call(is.engine, is.id, is.client, 'wait never', 'its-own-key');
    await expect(retry).rejects.toMatchObject({
      code: expect.stringMatching(/^(member|job)-ended$/),
    });
    expect(await is.engine.isSilenced(is.id, is.client)).toBe(true);
    is.gone.abort();
    await quiet();
    expect(is.heard()).toBeUndefined();
    await is.time.pass(60_000);
    expect(await is.engine.isSilenced(is.id, is.client)).toBe(false);
    await is.engine.stop();
  });

  it('is answered when the wait itself fails, because its script goes on', async () => {
    const is = await waiting('wait never');
    await is.engine.member(
      is.id,
      { type: 'RaiseMember', member: is.server, reason: 'no disk' },
      user,
    );
    await quiet();
    expect(is.heard()).toMatchObject({ status: 'fail' });
    await is.engine.stop();
  });
});

type Waiting = Awaited<ReturnType<typeof waiting>>;
