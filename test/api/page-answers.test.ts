/** What the page asks of the answers beside what they are for people: the log that would be, counterparts, lines. */
import { describe, expect, it } from 'vitest';
import { DiffView, WhatIfView } from '../../answers/compared-views.ts';
import { ScriptLinesView } from '../../answers/views.ts';
import type { RecordedEvent } from '../../machines/events.ts';
import { finish } from '../engine/bench.ts';
import { doors, pair, say } from './bench.ts';

/** A pair of which the server sends and the client waits, run to its end. */
async function over({ app, engine }: Awaited<ReturnType<typeof doors>>) {
  const is = await pair(engine);
  const { job, server, client } = is;
  await say(app, { job, device: server }, 'send', 'ready', 'port=80');
  await say(app, { job, device: client }, 'wait', 'ready');
  for (const device of [server, client]) await finish(engine, job, device);
  return is;
}

describe('answers for the page', () => {
  it('have the whole log that would be, where it is asked for and only there', async () => {
    const lab = await doors();
    const { job, server } = await over(lab);
    const ask = async (query: string) => {
      const answer = await lab.app.inject(`/api/jobs/${job}/what-if?${query}`);
      expect(answer.statusCode, answer.body).toBe(200);
      return WhatIfView.parse(answer.json());
    };
    const recorded = (await lab.app.inject(`/api/jobs/${job}/events`)).json()
      .events as RecordedEvent[];
    const sent = recorded.find(({ type }) => type === 'MessageSent')?.version;
    const lost = await ask(`drop=${sent}&events=true`);
    const events = lost.events as unknown as RecordedEvent[];
    expect(events.map(({ version }) => version)).toEqual(events.map((_, n) => n + 1));
    expect(events.map(({ type }) => type)).not.toContain('MessageSent');
    expect(events.at(-1)?.type).toBe('JobFailed');
    const late = await ask(`delay=${server}:20s&events=true`);
    const last = late.events?.at(-1) as unknown as RecordedEvent;
    expect(last.type).toBe('JobCompleted');
    expect(last.meta.at - (recorded.at(-1)?.meta.at ?? 0)).toBeGreaterThan(15_000);
    expect(await ask(`drop=${sent}`)).not.toHaveProperty('events');
  });

  it('name the counterpart of every board of two runs', async () => {
    const lab = await doors();
    const first = await over(lab);
    lab.boardsAreOff();
    const second = await over(lab);
    const answer = await lab.app.inject(`/api/jobs/${second.job}/diff?with=${first.job}`);
    const { pairs, equal } = DiffView.parse(answer.json());
    expect(equal).toBe(true);
    expect(pairs).toEqual([
      { role: 'server', index: 0, good: first.server, bad: second.server },
      { role: 'client', index: 0, good: first.client, bad: second.client },
    ]);
  });

  it('say of no call where it stands in a script while nothing of the scripts was kept', async () => {
    const lab = await doors();
    const { job } = await over(lab);
    const answer = await lab.app.inject(`/api/jobs/${job}/script-lines`);
    expect(ScriptLinesView.parse(answer.json())).toEqual({ id: job, lines: [], more: 0 });
  });
});
