/** A log that is away is told in one line, however many parts of the server meet it and however often. */
import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Outage } from '../../server/outage.ts';
import { StoreUnavailable } from '../../store/port.ts';

describe('an outage of the log', () => {
  let said: { level: number; msg: string; err?: { stack?: string } }[];
  let outage: Outage;
  let log: pino.Logger;
  beforeEach(() => {
    said = [];
    outage = new Outage();
    log = pino({ hooks: outage.hooks }, { write: (line: string) => said.push(JSON.parse(line)) });
  });
  const away = () => new StoreUnavailable('the log does not answer:\n  connection refused');

  it('is one line without a stack when it begins, whoever reports it in whatever form', () => {
    log.error({ err: away(), verb: 'send' }, 'request of a line failed');
    for (let i = 0; i < 50; i++) log.error({ err: away() }, 'request failed');
    log.warn(away());
    log.child({ part: 'loop' }).warn({ err: away() }, 'the scheduler could not write to the log');
    expect(said).toHaveLength(1);
    expect(said[0]).toMatchObject({
      level: 50,
      msg: 'the log does not answer: connection refused',
    });
    expect(JSON.stringify(said)).not.toContain('stack');
  });

  it('is one line when it is over, and the next one is told again', () => {
    outage.ends(log);
    expect(said).toEqual([]);
    log.warn({ err: away() });
    outage.ends(log);
    outage.ends(log);
    log.warn({ err: away() });
    expect(said.map(({ msg }) => msg)).toEqual([
      'the log does not answer: connection refused',
      'the log takes what is written again, after 0 s',
      'the log does not answer: connection refused',
    ]);
  });

  it('hides nothing else that goes wrong meanwhile', () => {
    log.warn({ err: away() });
    log.error({ err: new Error('a bug') }, 'request failed');
    log.info('boards come back');
    expect(said.map(({ msg }) => msg).slice(1)).toEqual(['request failed', 'boards come back']);
    expect(said[1]?.err?.stack).toContain('a bug');
  });
});
