/** A job at any of its events is the live one of that moment, with what each of its boards could read then. */
import { describe, expect, it } from 'vitest';
import { Moments } from '../../answers/moments.ts';
import { Recollection } from '../../answers/recollection.ts';
import { AnswerRefused } from '../../answers/refused.ts';
import { stateAt, stateOf } from '../../answers/state-at.ts';
import { StateView } from '../../answers/views.ts';
import type { JobState } from '../../machines/job/job.ts';
import { jobView } from '../../projections/job-view.ts';
import { anyHistory, type History, labOf, play } from '../machines/history.ts';
import { Lab } from '../machines/lab.ts';
import { assertHolds, isCaught } from '../machines/runs.ts';

/** Plays a history; what the lab was after each event that a command ended with, by its version. */
function live([group, ops]: History): { lab: Lab; states: Map<number, JobState> } {
  const states = new Map<number, JobState>();
  const lab = labOf(group);
  const look = () => states.set(lab.events.length, lab.state);
  look();
  play(lab, ops, look);
  return { lab, states };
}

/** Forwards and backwards, in steps and in jumps. */
function* tour(states: ReadonlyMap<number, JobState>): Iterable<[number, JobState]> {
  const all = [...states];
  yield* all;
  yield* all.toReversed();
  for (let at = 0; at < all.length; at += 3)
    yield* [...all.slice(at), ...all.slice(0, at)].slice(0, 2);
}

const isLive = (history: History): void => {
  const { lab, states } = live(history);
  const moments = new Moments(lab.events);
  for (const [event, state] of tour(states)) {
    expect(moments.at(event).job).toEqual(state);
    const view = stateAt(1, moments, event);
    expect(StateView.parse(view)).toEqual(view);
    expect(view.job).toEqual(jobView(1, state, lab.events[event - 1]?.meta.at ?? 0));
  }
};

describe('a job at one of its events', () => {
  it('is at every event what it was live, whichever way one comes there', () => {
    assertHolds(anyHistory, isLive, 150);
  });

  it('is the same at an event far away as when one steps there', () => {
    const lab = new Lab('a:r b:r');
    for (let i = 0; i < 700; i++) lab.send(i % 2 === 0 ? 'a' : 'b', `m${i % 7}`, `k=${i}`);
    const moments = new Moments(lab.events);
    const last = moments.at(lab.events.length);
    expect(last.job).toEqual(lab.state);
    for (const event of [3, 255, 256, 257, 511, 512, 513, 699, 4]) {
      const fresh = new Moments(lab.events.slice(0, event));
      expect(moments.at(event)).toEqual(fresh.at(event));
    }
  });

  it('has every wait that a board got data from in its cache file, until the next one writes it anew', () => {
    assertHolds(anyHistory, ([group, ops]: History) => {
      const lab = labOf(group);
      play(lab, ops);
      const moments = new Moments(lab.events);
      for (const { type, data, version } of lab.events) {
        if (type !== 'WaitReleased') continue;
        const { verb, member } = lab.asked(data.wait);
        const place = lab.state.places[member] ?? -1;
        const { cache } = moments.at(version).boards[place] ?? {};
        if (verb === 'sync') expect(cache?.event ?? 0).toBeLessThan(version);
        else expect(cache).toEqual({ lines: lab.lines(data.wait), event: version });
      }
    });
  });

  it('leaves the cache file as it is in a sync, and empties it where a wait failed or was killed', () => {
    const lab = new Lab('a:r b:r c:r');
    const cache = (event = lab.events.length) =>
      stateAt(1, new Moments(lab.events), event).boards[0]?.cache;
    expect(cache()).toBeUndefined();
    lab.send('b', 'ip', 'ip=1');
    lab.wait('a', 'ip');
    const read = { lines: ['ip=1'], event: lab.events.length };
    expect(cache()).toEqual(read);
    for (const member of ['a', 'b', 'c']) lab.sync(member, 'go');
    expect(cache()).toEqual(read);
    lab.abandon(lab.wait('a', 'never'));
    expect(cache()).toEqual({ lines: [], event: lab.events.length });
    expect(cache(read.event)).toEqual(read);
  });

  it('tells mailboxes, open waits, and where each script was heard of last', () => {
    const lab = new Lab('a:server b:client');
    const from = [{ argv: ['/bin/sh', './run.sh'], read: 41 }];
    lab.do({ type: 'CallVerb', member: 'a', verb: 'send', words: ['up', 'port=80'], from });
    lab.wait('b', 'down');
    const view = stateAt(1, new Moments(lab.events), lab.events.length);
    expect(view.mailboxes).toEqual([
      { message: 'down', senders: [], waiting: [{ wait: 1, member: 'b', verb: 'wait' }] },
      {
        message: 'up',
        senders: [{ member: 'a', count: 1, pairs: [{ key: 'port', value: '80' }] }],
        waiting: [],
      },
    ]);
    expect(view.boards[0]?.call).toEqual({
      event: lab.events.length - 1,
      what: 'lava-send up',
      from,
    });
    expect(view.boards[1]?.call).toEqual({ event: lab.events.length, what: 'lava-wait down' });
    expect(view.at).toMatchObject({ event: lab.events.length, type: 'WaitStarted' });
  });

  it('is found by a time: the last event that had happened by then', () => {
    const lab = new Lab('a:r b:r');
    const before = lab.events.length;
    lab.pass(10);
    lab.send('a', 'x');
    const moments = new Moments(lab.events);
    const at = (time: number) => moments.versionOf(new Date(time).toISOString());
    expect(at(lab.now - 1)).toBe(before);
    expect(at(lab.now)).toBe(lab.events.length);
    expect(() => at(0)).toThrow('its submission, was at');
  });

  it('of a job of very many events is the same from what is remembered of it and the few before it', () => {
    const lab = new Lab('a:r b:r');
    for (let i = 0; i < 350; i++) for (const member of ['a', 'b']) lab.sync(member, `m${i % 3}`);
    const recollection = new Recollection();
    for (const event of lab.events) recollection.take(event);
    const moments = new Moments(lab.events);
    for (const version of [1, 2, 1_023, 1_024, 1_025, 1_500, 2_048, 2_049, lab.events.length]) {
      const from = recollection.near(version);
      expect(version - from.event).toBeLessThanOrEqual(1_024);
      const told = recollection.told(from, lab.events.slice(from.event, version));
      expect(told.moment).toEqual(moments.at(version));
      expect(stateOf(1, told)).toEqual(stateAt(1, moments, version));
    }
    const view = stateAt(1, moments, lab.events.length);
    expect([view.barriers.length, view.leftOut.barriers]).toEqual([200, 150]);
    expect(() => recollection.near(0)).toThrow(AnswerRefused);
    expect(() => recollection.near(lab.events.length + 1)).toThrow('there is no event');
    expect(() => recollection.take(lab.events[3] as never)).toThrow('is missing');
  });

  it('is not told of a log with a hole, and not of an event that there is not', () => {
    const lab = new Lab('a:r b:r');
    const { events } = lab;
    expect(() => new Moments([...events.slice(0, 3), ...events.slice(4)])).toThrow(
      'event 4 of the job is missing',
    );
    expect(() => stateAt(1, new Moments(events), events.length + 1)).toThrow(AnswerRefused);
    expect(() => stateAt(1, new Moments(events), 0)).toThrow(AnswerRefused);
  });

  it('is not the one before it: the property above sees a fold that skips an event', () => {
    isCaught(anyHistory, (history: History) => {
      const { lab, states } = live(history);
      const moments = new Moments(lab.events);
      for (const [event, state] of states)
        expect(moments.at(Math.max(1, event - 1)).job).toEqual(state);
    });
  });
});
