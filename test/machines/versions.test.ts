import { describe, expect, it } from 'vitest';
import type { JobCommand } from '../../machines/commands.ts';
import { Draft } from '../../machines/deciding.ts';
import type { Action, TestSource } from '../../machines/definition.ts';
import type { WorkerEvent } from '../../machines/events.ts';
import { decideJob } from '../../machines/job/decide.ts';
import { initialJob } from '../../machines/job/job.ts';
import { parseEvent, VOCABULARY, written } from '../../machines/versions.ts';
import { decideWorker, evolveWorker, initialWorker } from '../../machines/worker.ts';
import { definitionOf, testShell } from './lab.ts';

const meta = {
  at: 1,
  actor: 'worker:w',
  causationId: '00000000-0000-4000-8000-000000000001',
  correlationId: 'worker-w',
};
const connected = { boards: ['a'], vocabulary: { reads: 2, writes: 2 } };
const envIn = (vocabulary: number) => ({
  now: 1,
  newId: () => '00000000-0000-4000-8000-000000000002',
  request: { id: 'r', actor: 'worker:w', correlationId: 'worker-w' },
  vocabulary,
});

describe('what is written', () => {
  it('carries no number when every version of Muster can read it', () => {
    expect(written('WorkerLost', { reason: 'gone' })).toEqual({ data: { reason: 'gone' } });
    expect(written('WorkerConnected', { boards: ['a'] })).toEqual({ data: { boards: ['a'] } });
  });

  it('carries the number of the newest field that it uses', () => {
    expect(written('WorkerConnected', connected)).toEqual({ data: connected, schema: 2 });
  });

  it('leaves out the fields that some server on the log does not read, and changes nothing of its input', () => {
    const given = Object.freeze({ ...connected });
    expect(written('WorkerConnected', given, 1)).toEqual({ data: { boards: ['a'] } });
  });

  it('is nothing at all when some server on the log does not know its type', () => {
    const garbled = { member: 'a', text: '<LAVA' };
    expect(written('SignalGarbled', garbled, 1)).toBeUndefined();
    expect(written('SignalGarbled', garbled, 2)).toEqual({ data: garbled, schema: 2 });
  });

  it('is nothing, and its command refused, when what cannot be left out stands below a field', () => {
    const source: TestSource = { from: 'url', url: 'http://h/a.yaml', parameters: [] };
    const jobOf = (definition: TestSource) =>
      definitionOf('a:default', {
        actions: [{ ...testShell(), parameters: { definitions: [definition] } } as Action],
      });
    const plain = { definition: jobOf(source), document: '{}' };
    const skipping = { ...plain, definition: jobOf({ ...source, skipInstall: ['deps'] }) };
    expect(written('JobSubmitted', plain, 1)).toEqual({ data: plain });
    expect(written('JobSubmitted', skipping, 1)).toBeUndefined();
    expect(written('JobSubmitted', skipping)).toEqual({ data: skipping, schema: 2 });
    const submit: JobCommand = { type: 'SubmitJob', ...skipping, short: [] };
    expect(decideJob(submit, initialJob, envIn(1))).toHaveProperty('code', 'too-new');
    expect(decideJob(submit, initialJob, envIn(2))).toHaveLength(1);
  });

  it('is folded as it is written, so that a restart knows no more than the server that wrote it', () => {
    const draft = new Draft(initialWorker, envIn(1), evolveWorker);
    draft.emit('WorkerConnected', connected);
    const [event] = draft.events;
    expect(event?.data).not.toHaveProperty('vocabulary');
    expect(draft.state).toEqual(evolveWorker(initialWorker, event as WorkerEvent & typeof event));
  });

  it('of a worker that now may write more is said anew, once', () => {
    const first = decideWorker({ type: 'ConnectWorker', boards: ['a'] }, initialWorker, envIn(2));
    if (!Array.isArray(first)) throw new Error('refused');
    const after = first.reduce(evolveWorker, initialWorker);
    const raise = { type: 'ConnectWorker', ...connected } as const;
    const second = decideWorker(raise, after, envIn(2));
    if (!Array.isArray(second)) throw new Error('refused');
    expect(second.map(({ type, meta: { schema } }) => [type, schema])).toEqual([
      ['WorkerConnected', 2],
    ]);
    expect(decideWorker(raise, second.reduce(evolveWorker, after), envIn(2))).toEqual([]);
  });
});

describe('what is read', () => {
  const read = (type: string, data: unknown, schema?: number) =>
    parseEvent({
      type,
      data,
      meta: { ...meta, ...(schema !== undefined && { schema }) },
      stream: 'worker-w',
      version: 7,
    });

  it('of a newer version is called so, whatever is in it, and not damage', () => {
    for (const [type, data] of [
      ['WorkerLost', { reason: 'gone', since: 4 }],
      ['WorkerPainted', {}],
    ] as const)
      expect(() => read(type, data, VOCABULARY + 1)).toThrow(
        `worker-w event 7 (${type}): a newer version of Muster wrote it ` +
          `(its events are of version ${VOCABULARY + 1}, this one reads up to ${VOCABULARY})`,
      );
  });

  it('of this version or an older one, with a type or a key that there is not, is damage', () => {
    expect(() => read('WorkerPainted', {})).toThrow('no version of Muster has such a type');
    expect(() => read('WorkerLost', { reason: 'gone', since: 4 })).toThrow('Unrecognized key');
  });

  it('is what was written, of every number', () => {
    expect(read('WorkerConnected', connected, 2).event.data).toEqual(connected);
    expect(read('WorkerConnected', { boards: ['a'] }).event.data).toEqual({ boards: ['a'] });
  });
});
