/** A wait that is longer than its like in the last runs is named while it waits. */
import { describe, expect, it } from 'vitest';
import { LongWait } from '../../answers/compared-views.ts';
import { History } from '../../api/history/history.ts';
import { PastRuns } from '../../api/past-runs.ts';
import { Watchdog } from '../../api/watchdog.ts';
import { doors, listening, opened, pair, say, until } from './bench.ts';

type Lab = Awaited<ReturnType<typeof doors>>;

/** A run in which the client waits for the server, and both end well. */
async function passed(lab: Lab): Promise<number> {
  const { job, server, client } = await pair(lab.engine);
  const waited = say(lab.app, { job, device: client }, 'wait', 'up');
  await say(lab.app, { job, device: server }, 'send', 'up');
  await waited;
  for (const member of [server, client])
    await lab.engine.member(
      job,
      { type: 'EndAction', member, action: 0, outcome: 'ok' },
      { actor: 'worker:w', key: `end ${member}` },
    );
  await until(() => lab.engine.directory.held.size === 0 || undefined);
  return job;
}

/** A job whose client has waited for a minute, and how many runs were before it. */
async function waiting(runs: number) {
  const lab = await doors();
  for (let i = 0; i < runs; i++) await passed(lab);
  const { job, server, client } = await pair(lab.engine);
  const wait = say(lab.app, { job, device: client }, 'wait', 'up');
  await until(async () =>
    (await lab.engine.job(job))?.conversation.waitCount === 1 ? true : undefined,
  );
  const history = new History(lab.engine);
  const watchdog = new Watchdog({
    engine: lab.engine,
    past: new PastRuns({ engine: lab.engine, history }),
  });
  return { ...lab, job, server, client, wait, watchdog };
}

describe('a wait', () => {
  it('is named with whom it lacks once it is longer than in the runs before, and not sooner or later', async () => {
    const lab = await waiting(3);
    await lab.watchdog.look();
    expect(lab.watchdog.waits).toEqual([]);
    lab.boardsAreOff();
    await lab.watchdog.look();
    const [long] = lab.watchdog.waits;
    expect(LongWait.parse(long)).toEqual(long);
    expect(long).toMatchObject({ job: lab.job, member: lab.client, what: 'lava-wait up', runs: 3 });
    expect(long?.seconds).toBeGreaterThanOrEqual(60);
    expect(long?.missing).toEqual([expect.stringContaining(`${lab.server}: runs action 0`)]);
    await say(lab.app, { job: lab.job, device: lab.server }, 'send', 'up');
    await lab.wait;
    await lab.watchdog.look();
    expect(lab.watchdog.waits).toEqual([]);
    lab.watchdog.stop();
  });

  it('is not named where no run of the same definition has passed', async () => {
    const lab = await waiting(0);
    lab.boardsAreOff();
    await lab.watchdog.look();
    expect(lab.watchdog.waits).toEqual([]);
    lab.watchdog.stop();
    await lab.engine.cancel(lab.job, 'enough', { actor: 'user:test' });
  });

  it('that is long is on the API, in its stream, and in the figures', async () => {
    const lab = await waiting(1);
    lab.watchdog.stop();
    const port = await listening(lab.app);
    const stream = opened(port, {
      url: '/api/long-waits',
      headers: { accept: 'text/event-stream' },
    });
    await stream.head;
    expect(stream.text()).not.toContain('event: long-wait');
    lab.boardsAreOff();
    await until(() => stream.text().includes('\n\n') || undefined);
    const [, data = ''] = /event: long-wait\ndata: (.*)\n\n/.exec(stream.text()) ?? [];
    expect(JSON.parse(data)).toMatchObject({ job: lab.job, what: 'lava-wait up' });
    const { waits } = (await lab.app.inject('/api/long-waits')).json();
    expect(waits).toMatchObject([{ job: lab.job, what: 'lava-wait up' }]);
    expect((await lab.app.inject('/metrics')).body).toMatch(/^muster_long_waits 1$/m);
    stream.client.destroy();
  });
});
