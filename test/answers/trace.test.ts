/** What caused what: trees of causes and effects, and the order in which a job happened. */
import { describe, expect, it } from 'vitest';
import {
  HappensBefore,
  hostOf,
  isBefore,
  LAB,
  Orders,
  type Placed,
} from '../../answers/happens-before.ts';
import { shivizLines } from '../../answers/shiviz.ts';
import { traceOf } from '../../answers/trace.ts';
import { type TraceNode, TraceView } from '../../answers/views.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { anyHistory, type History, labOf, play } from '../machines/history.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds, isCaught } from '../machines/runs.ts';
import { START } from '../machines/spec.ts';
import { evidenceOf } from './evidence.ts';

const versionOf = (lab: Lab, type: JobEvent['type']) =>
  lab.events.find((event) => event.type === type)?.version ?? 0;
const flat = (nodes: readonly TraceNode[]): TraceNode[] =>
  nodes.flatMap((node) => [node, ...flat(node.effects)]);

describe('a trace', () => {
  it('of a release leads to the send that caused it, and to what its script did next', () => {
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'go');
    lab.send('b', 'go');
    lab.send('a', 'done');
    const release = versionOf(lab, 'WaitReleased');
    const trace = traceOf(evidenceOf(lab), release);
    expect(TraceView.parse(trace)).toEqual(trace);
    expect(trace.causes.map(({ how, event }) => [how, event.type])).toEqual([
      ['caused', 'MessageSent'],
    ]);
    expect(trace.effects.map(({ how, event }) => [how, event.says])).toEqual([
      ['after', 'a sends done'],
    ]);
    expect(trace.request.actor).toBe('user:test');
  });

  it('of the end of a job leads back to the first member that failed, and tells all whom it took along', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.sync('a', 'ready');
    lab.sync('b', 'ready');
    lab.fail('c');
    const failed = versionOf(lab, 'MemberFailed');
    const { effects } = traceOf(evidenceOf(lab), failed);
    expect(flat(effects).map(({ event }) => event.type)).toEqual([
      'WaitUnreachable',
      'WaitUnreachable',
    ]);
    expect(() => traceOf(evidenceOf(lab), 999)).toThrow('there is no event 999');
  });

  it('finds what other streams did because of it', () => {
    const lab = new Lab('a:r');
    lab.fail('a');
    const end = lab.events.at(-1) as RecordedEvent<JobEvent>;
    const released: RecordedEvent = {
      type: 'DeviceReleased',
      data: { job: 1, lease: 'lease-1', reason: 'the job is over' },
      id: 'r1',
      meta: { ...end.meta, causationId: end.id },
      stream: 'device-a',
      version: 3,
      position: end.position + 5,
    };
    const trace = traceOf({ ...evidenceOf(lab), related: [released] }, end.version);
    expect(trace.effects).toMatchObject([
      { how: 'caused', event: { stream: 'device-a', event: 3 } },
    ]);
    expect(trace.otherStreams).toBe(true);
  });

  it('of what stands at the end of a long chain tells the nearest causes, and the request with which all began', () => {
    const lab = new Lab('a:r');
    lab.send('a', 'x');
    const [first] = lab.events;
    if (first === undefined) throw new Error('no events');
    const sent = lab.events.at(-1) as RecordedEvent<JobEvent>;
    const links = Array.from({ length: 1_200 }, (_, at) => ({
      ...sent,
      id: `link ${at}`,
      version: at + 2,
      position: first.position + at + 1,
      meta: { ...sent.meta, causationId: at === 0 ? first.id : `link ${at - 1}` },
    }));
    const evidence = { ...evidenceOf(lab), events: [first, ...links] };
    const { causes, cut, request } = traceOf(evidence, 1_201);
    expect([causes.length, causes[0]?.event.event, cut]).toEqual([500, 1_200, true]);
    expect([request.actor, request.cause]).toEqual([first.meta.actor, first.meta.causationId]);
  });

  it('is a tree: every effect has this event among its causes, and no event comes twice', () => {
    assertHolds(
      anyHistory,
      ([group, ops]: History) => {
        const lab = play(labOf(group), ops);
        const evidence = evidenceOf(lab);
        for (const { version } of lab.events) {
          const effects = flat(traceOf(evidence, version).effects).map(({ event }) => event.event);
          expect(new Set(effects).size).toBe(effects.length);
          for (const effect of effects.slice(0, 3))
            expect(traceOf(evidence, effect).causes.map(({ event }) => event.event)).toContain(
              version,
            );
        }
      },
      40,
    );
  });
});

const placed = (events: Iterable<RecordedEvent<JobEvent>>, order = new HappensBefore()): Placed[] =>
  Array.from(events, (event) => order.take(event));

/** Causes come before their effects, and every send that a wait counted before its release. */
const isOrder =
  (places: (lab: Lab) => Placed[]) =>
  ([group, ops]: History): void => {
    const lab = play(labOf(group), ops);
    const all = places(lab);
    const byId = new Map(lab.events.map(({ id }, at) => [id, at]));
    const own = new Map<string, number>();
    for (const [at, event] of lab.events.entries()) {
      const here = all[at] as Placed;
      own.set(here.host, (own.get(here.host) ?? 0) + 1);
      expect(here.clock.get(here.host)).toBe(own.get(here.host));
      const cause = byId.get(event.meta.causationId);
      if (cause !== undefined) expect(isBefore(all[cause] as Placed, here)).toBe(true);
      if (event.type !== 'WaitReleased' || event.data.by === undefined) continue;
      const { message } = lab.asked(event.data.wait);
      const by = event.data.by;
      const sends = lab.events
        .slice(0, at)
        .filter(
          (e) => e.type === 'MessageSent' && e.data.message === message && e.data.member === by,
        );
      expect(sends.length).toBeGreaterThan(0);
      for (const send of sends) expect(isBefore(all[send.version - 1] as Placed, here)).toBe(true);
    }
    for (const [a, one] of all.entries())
      for (const other of all.slice(0, a)) expect(isBefore(one, other)).toBe(false);
  };

describe('the order in which a job happened', () => {
  it('holds for every cause and every message, counts each host without a gap, and never goes back', () => {
    assertHolds(
      anyHistory,
      isOrder((lab) => placed(lab.events)),
      100,
    );
  });

  it('is the same for two moments as between the places of their events', () => {
    assertHolds(
      anyHistory,
      ([group, ops]: History) => {
        const { events } = play(labOf(group), ops);
        const places = placed(events);
        const orders = new Orders(events);
        const moment = (at: number) => {
          const event = events[at] as (typeof events)[number];
          const host = hostOf(event);
          return { member: host === LAB ? undefined : { device: host }, version: event.version };
        };
        for (const [a, one] of places.entries())
          for (const [b, other] of places.entries()) {
            if (a >= b || one.host === LAB || other.host === LAB) continue;
            const told = orders.order(moment(a), moment(b));
            expect(told).toBe(isBefore(one, other) ? 'before' : 'concurrent');
            expect(orders.order(moment(b), moment(a))).toBe(told === 'before' ? 'after' : told);
          }
      },
      60,
    );
  });

  it('leaves what two boards did by themselves in no order', () => {
    const lab = new Lab('a:r b:r c:r');
    const from = lab.events.length;
    lab.send('a', 'x');
    lab.send('b', 'y');
    lab.wait('b', 'x');
    const [x, y, , heard] = placed(lab.events).slice(from) as [Placed, Placed, Placed, Placed];
    expect([isBefore(x, y), isBefore(y, x), isBefore(x, heard), isBefore(y, heard)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('is not the order of the clock alone: a board whose releases hear of nobody is noticed', () => {
    isCaught(
      anyHistory,
      isOrder((lab) =>
        placed(
          lab.events.map((event) =>
            event.type === 'WaitReleased'
              ? {
                  ...event,
                  type: 'WaitAbandoned',
                  meta: { ...event.meta, causationId: '' },
                  data: { ...event.data, why: 'verb-ended' },
                }
              : event,
          ) as RecordedEvent<JobEvent>[],
        ),
      ),
    );
  });

  it('is written as ShiViz reads it: an expression, an empty line, and two lines an event', () => {
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'go');
    lab.send('b', 'go');
    const [expression = '', empty, ...lines] = [...shivizLines(lab.events)].join('').split('\n');
    expect(empty).toBe('');
    const reader = new RegExp(expression, 'g');
    const read = [...lines.join('\n').matchAll(reader)].map(({ groups }) => groups);
    expect(read).toHaveLength(lab.events.length);
    expect(read.at(-1)).toMatchObject({
      event: 'a is released from lava-wait go: b sent it',
      host: 'a',
      date: new Date(START).toISOString(),
    });
    expect(JSON.parse(read.at(-1)?.clock ?? '')).toEqual({ lab: 2, a: 5, b: 4 });
  });
});
