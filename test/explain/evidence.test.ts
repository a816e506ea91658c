/** What is told of evidence that is not whole, still grows, or is large: never more than is known, and never nothing. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ConsoleReader, Evidence } from '../../answers/evidence.ts';
import { explain } from '../../answers/explain/explain.ts';
import { Explanation } from '../../answers/explain/explanation.ts';
import { groupOf } from '../../answers/explain/read-group.ts';
import { Orders } from '../../answers/happens-before.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { largeJob, longAfterOneSend } from './large-job.ts';
import { readRecorded } from './recorded.ts';
import { scenarios } from './scenarios.ts';

const recordings = scenarios.map(({ name, recorded }) => ({
  name,
  evidence: readRecorded(readFileSync(recorded, 'utf8')),
}));
const recording = (name: string): Evidence => {
  const found = recordings.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found.evidence;
};
const typo = () => recording('arrived-with-another-id-typo');

describe('evidence that is not whole', () => {
  it('is explained at each of its events without fail, and of a live job nothing is said to be over', async () => {
    for (const { name, evidence } of recordings.slice(0, 40))
      for (let count = 0; count < evidence.events.length; count += 3) {
        const events = evidence.events.slice(0, count);
        const is = Explanation.parse(await explain({ ...evidence, events }));
        if (count > 2) expect(is.failure, name).toMatch(/still runs|waits for boards/);
      }
  });

  it('names events that are not there, and still says what the others say', async () => {
    const { events, ...rest } = typo();
    const without = events.filter(({ type }) => type !== 'SuiteStarted');
    const is = await explain({ ...rest, events: without });
    expect(is.kind).toBe('arrived-with-another-id');
    expect(is.unseen.join()).toMatch(/events \d+.* are not in the log/);
  });

  it('without what ran names the member, and says that the sources are not there', async () => {
    const { kind, culprit, unseen } = await explain({ ...typo(), sources: [] });
    expect([kind, culprit?.role, culprit?.line]).toEqual([
      'arrived-with-another-id',
      'server',
      undefined,
    ]);
    expect(unseen.join()).toContain('were not kept, so no lines can be named');
  });

  it('of boards that do not say who called finds the lines by their words, and says so', async () => {
    const evidence = typo();
    const events = evidence.events.map((event) => {
      if (!('from' in event.data)) return event;
      const { from: _, ...data } = event.data;
      return { ...event, data } as RecordedEvent<JobEvent>;
    });
    const { culprit, unseen } = await explain({ ...evidence, events });
    expect([culprit?.file, culprit?.line]).toEqual(['server.yaml', 7]);
    expect(unseen.join()).toContain('did not say which script called');
  });

  it('with an event of a version that nobody knows yet goes on behind it', async () => {
    const evidence = typo();
    const [first, ...others] = evidence.events;
    const strange = { ...first, type: 'BoardSang', data: { member: 'panda01' } };
    const events = [first, strange, ...others] as RecordedEvent<JobEvent>[];
    expect((await explain({ ...evidence, events })).kind).toBe('arrived-with-another-id');
  });

  it('of a console that cannot be read does without', async () => {
    const broken: ConsoleReader = {
      bytes: 1_000,
      read: () => Promise.reject(new Error('EIO')),
      timeAt: async () => undefined,
      offsetAt: async () => undefined,
    };
    expect((await explain({ ...typo(), console: () => broken })).kind).toBe(
      'arrived-with-another-id',
    );
  });
});

it('reads the end of a large console alone', async () => {
  let read = 0;
  const large: ConsoleReader = {
    bytes: 100_000_000,
    read: async (from, to) => {
      read += to - from;
      return Buffer.alloc(to - from, 'x');
    },
    timeAt: async () => undefined,
    offsetAt: async () => undefined,
  };
  await explain({ ...typo(), console: () => large });
  expect(read).toBeLessThan(1_000_000);
});

it('gives the same answer each time, and changes nothing that it is given', async () => {
  const evidence = recording('cross-wait-ring-of-three');
  const before = structuredClone(evidence.events);
  expect(await explain(evidence)).toEqual(await explain(evidence));
  expect(evidence.events).toEqual(before);
});

it('finds the one of 128 members that never came', async () => {
  const is = await explain(largeJob({ members: 128, rounds: 3, lost: 77 }));
  expect(is.kind).toBe('rounds-out-of-step');
  expect(is.culprit?.device).toBe('board77');
  expect(is.missing).toEqual(['board77']);
});

it('of a very long job the calls that went well are forgotten, and the answer is the same', async () => {
  const long = largeJob({ members: 4, rounds: 12_000, lost: 2 });
  const group = groupOf(long.events);
  expect(group.forgotten).toBeGreaterThan(10_000);
  const { kind, culprit, missing, unseen } = await explain(long);
  expect([kind, culprit?.device, missing]).toEqual(['rounds-out-of-step', 'board2', ['board2']]);
  expect(unseen.join()).toContain('were counted, and not looked at');
});

it('who sent long ago is not missed, however long the job is', () => {
  const events = longAfterOneSend(30_000);
  const { sends, members } = groupOf(events);
  const [first] = members;
  expect(first === undefined ? 0 : sends.get('config')?.get(first)?.length).toBe(1);
});

describe('what happened before what', () => {
  const { events } = recording('fine-values');
  const group = groupOf(events);
  const before = new Orders(events);
  const [server, client] = ['server', 'client'].map((role) =>
    group.members.find((one) => one.role === role),
  );
  const call = (member: typeof server, verb: string) =>
    member?.calls.find((one) => one.verb === verb);

  it('is the order of a board, and from each send to what it released', () => {
    const send = call(server, 'send');
    const wait = call(client, 'wait');
    const sync = call(client, 'sync');
    if (send === undefined || wait === undefined || sync === undefined) throw new Error('calls');
    expect(before.order(send, sync)).toBe('before');
    expect(before.order(sync, send)).toBe('after');
    expect(before.order(wait, sync)).toBe('before');
    expect(before.order(send, send)).toBe('same');
  });

  it('leaves open what no message orders, whatever the clock says', () => {
    const first = client?.suites[0];
    const other = server?.suites[0];
    if (first === undefined || other === undefined) throw new Error('suites');
    const order = before.order(
      { member: client, version: first.version },
      { member: server, version: other.version },
    );
    expect(order).toBe('concurrent');
  });
});
