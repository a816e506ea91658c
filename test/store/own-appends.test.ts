/** What a server on EventStoreDB remembers of its own appends, until its subscription brings them. */
import { describe, expect, it } from 'vitest';
import { checkAppend } from '../../store/edge.ts';
import type { ServerEvent } from '../../store/eventstoredb/messages.ts';
import { OwnAppends } from '../../store/eventstoredb/own-appends.ts';
import { recordedOf } from '../../store/eventstoredb/own-events.ts';
import { many, sent } from './events.ts';

/** As the server sends it. */
const echoOf = ({ id, type, data, meta }: ReturnType<typeof checkAppend>[number]): ServerEvent => ({
  ...{ id, type, data, meta: JSON.stringify(meta) },
  ...{ stream: 'job-1', version: 7, position: 700 },
});

describe('an event that this server has appended', () => {
  it('is told as if it were read from its text', () => {
    const own = new OwnAppends();
    const checked = checkAppend('job-1', 6, [sent('ready', [['ip', '10.1.2.3']])]);
    own.keep(checked);
    for (const event of checked.map(echoOf)) expect(own.recorded(event)).toEqual(recordedOf(event));
  });

  it('is read from its text when that is another one, or of nobody here, or large', () => {
    const own = new OwnAppends();
    const [event, foreign] = checkAppend('job-1', 0, many(2)).map(echoOf) as [
      ServerEvent,
      ServerEvent,
    ];
    const large = checkAppend('job-1', 0, [sent('x', [['k', 'v'.repeat(5_000)]])]);
    own.keep(large);
    own.keep(checkAppend('job-1', 0, [{ ...sent('other'), id: event.id }]));
    for (const each of [event, foreign, ...large.map(echoOf)])
      expect(own.recorded(each)).toBeUndefined();
  });

  it('is forgotten after some thousand others, whether the server sent it or not', () => {
    const own = new OwnAppends();
    const checked = checkAppend('job-1', 0, many(5_000));
    own.keep(checked);
    const known = checked.map(echoOf).filter((event) => own.recorded(event) !== undefined);
    expect(known).toHaveLength(4_096);
    expect(known.at(-1)?.id).toBe(checked.at(-1)?.id);
  });
});
