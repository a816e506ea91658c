/** The machines as xstate has them, as the tables have them, and as they are drawn. */
import { readFileSync } from 'node:fs';
import { getShortestPaths } from '@xstate/graph';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createMachine, initialTransition, transition } from 'xstate';
import { deviceMachine, deviceTable } from '../../machines/device.ts';
import { deviceEvents, jobEvents, workerEvents } from '../../machines/events.ts';
import { jobMachine, jobTable } from '../../machines/job/job.ts';
import { memberMachine, memberTable } from '../../machines/job/member.ts';
import { IllegalTransition, type Table, tableOf } from '../../machines/table.ts';
import { workerMachine, workerTable } from '../../machines/worker.ts';
import { drawMachines, MACHINES_MD } from '../../scripts/draw-machines.ts';
import { assertHolds, isCaught } from './runs.ts';

interface Case {
  name: string;
  machine: AnyStateMachine;
  table: Table<string>;
  events: string[];
}
const machines: Case[] = [
  { name: 'job', machine: jobMachine, table: jobTable, events: Object.keys(jobEvents) },
  { name: 'member', machine: memberMachine, table: memberTable, events: Object.keys(jobEvents) },
  { name: 'device', machine: deviceMachine, table: deviceTable, events: Object.keys(deviceEvents) },
  { name: 'worker', machine: workerMachine, table: workerTable, events: Object.keys(workerEvents) },
];

describe.each(machines)('the $name machine', ({ machine, table, events }) => {
  /** Follows xstate's own `transition()` along a history; the table must go the same way. */
  const goesTheSameWay = (is: Table<string>) => (history: string[]) => {
    let [snapshot] = initialTransition(machine);
    let state = is.initial;
    expect(state).toBe(snapshot.value);
    for (const type of history) {
      expect(is.isLegal(state, type), `${type} in ${state}`).toBe(snapshot.can({ type }));
      expect(is.isFinal(state)).toBe(snapshot.status === 'done');
      if (!is.isLegal(state, type)) {
        expect(() => is.next(state, type)).toThrow(IllegalTransition);
        continue;
      }
      [snapshot] = transition(machine, snapshot, { type });
      state = is.next(state, type);
      expect(state).toBe(snapshot.value);
    }
  };
  const anyEvents = fc.array(fc.constantFrom(...events, 'NoSuchEvent'), {
    maxLength: 30,
    size: 'max',
  });

  it('is its table: the same steps as transition() on random histories', () =>
    assertHolds(anyEvents, goesTheSameWay(table)));

  it('is told from a table with one step gone astray', () => {
    const [from, type, to] = table.steps.find((step) => step[0] === table.initial) ?? ['', '', ''];
    const elsewhere = table.states.find((state) => state !== to) ?? '';
    isCaught(
      anyEvents,
      goesTheSameWay({
        ...table,
        next: (state, event) =>
          state === from && event === type ? elsewhere : table.next(state, event),
      }),
    );
  });

  it('reaches every state', () => {
    const paths = getShortestPaths(machine, { events: events.map((type) => ({ type })) });
    const reached = new Set(paths.map((path) => path.state.value));
    expect([...reached].sort()).toEqual([...table.states].sort());
  });

  it('has a way to a final state from every state, where it has final ones', () => {
    const finals = table.states.filter((state) => table.isFinal(state));
    const leads = new Set(finals);
    for (let before = -1; before < leads.size; ) {
      before = leads.size;
      for (const [from, , to] of table.steps) if (leads.has(to)) leads.add(from);
    }
    expect([...leads].sort()).toEqual(finals.length === 0 ? [] : [...table.states].sort());
  });

  it('knows events that are written, and no others', () => {
    for (const [, type] of table.steps) expect(events).toContain(type);
  });
});

describe('a table', () => {
  it('has a place for every event type of its stream', () => {
    const known = (table: Table<string>) => new Set(table.steps.map(([, type]) => type));
    expect([...known(jobTable)].sort()).toEqual(Object.keys(jobEvents).sort());
    expect([...known(deviceTable)].sort()).toEqual(Object.keys(deviceEvents).sort());
    expect([...known(workerTable)].sort()).toEqual(Object.keys(workerEvents).sort());
  });

  it('names machine, state and event when it refuses', () => {
    expect(() => jobTable.next('complete', 'JobCancelled')).toThrow(
      expect.objectContaining({
        code: 'illegal-transition',
        machine: 'job',
        state: 'complete',
        eventType: 'JobCancelled',
      }),
    );
  });

  it('is not read off a machine with effects', () => {
    const machine = createMachine({
      id: 'loud',
      initial: 'a',
      states: { a: { on: { go: { target: 'b', actions: () => undefined } } }, b: {} },
    });
    expect(() => tableOf(machine)).toThrow('loud: go in a has effects');
  });

  it('is not read off a machine with nested states', () => {
    const machine = createMachine({
      id: 'deep',
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { initial: 'c', states: { c: {} } } },
    });
    expect(() => tableOf(machine)).toThrow('deep: go in a is not a plain step');
  });
});

describe('docs/machines.md', () => {
  it('is what the code generates: run `npm run docs` after a change of a machine', () => {
    expect(readFileSync(MACHINES_MD, 'utf8')).toBe(drawMachines());
  });

  it('shows every step of every machine, as an arrow or in the list below', () => {
    const chapters = drawMachines().split('\n## ').slice(1);
    for (const [i, { table }] of machines.entries()) {
      const shown = new Set<string>();
      for (const line of chapters[i]?.split('\n') ?? []) {
        const arrow = /^ {2}(\w+) --> (\w+): (.+)$/.exec(line);
        const loop = /^- `(\w+)`: (.+)$/.exec(line);
        for (const event of arrow?.[3]?.split(', ') ?? [])
          shown.add(`${arrow?.[1]} ${event} ${arrow?.[2]}`);
        for (const event of loop?.[2]?.split(', ') ?? [])
          shown.add(`${loop?.[1]} ${event} ${loop?.[1]}`);
      }
      expect([...shown].sort()).toEqual(table.steps.map((step) => step.join(' ')).sort());
    }
  });
});
