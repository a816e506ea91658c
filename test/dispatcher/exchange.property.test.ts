/** Calls over a line that damages what goes over it: nothing is lost, nothing counts twice, and nothing hangs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SignalReader } from '../../dispatcher/signals.ts';
import { Exchange, SILENT_MS_MAX } from '../../dispatcher/transport/exchange.ts';
import {
  boardLine,
  decoded,
  encoded,
  readBoardFrame,
  readCall,
  readWorkerLine,
  sumOf,
  workerLine,
} from '../../dispatcher/transport/frames.ts';
import { BoardCall, Clock, damaged, dataOf, randomOf, SESSION, WorkerEnd } from './line-model.ts';

const HOUR_MS = 3_600_000;
const LINE_MS = 10;

/** Two boards on lines of their own, and a server that counts. */
class World {
  readonly clock = new Clock();
  readonly random: () => number;
  readonly rate: number;
  /** By key: how often it was decided. */
  readonly sends = new Map<string, number>();
  /** By id of a sync: whom it answers. */
  readonly rounds = new Map<string, { keys: Set<string>; answer: (() => void)[] }>();
  readonly boards: { call: (data: string, key: string, done: (answer: string) => void) => void }[];
  #keys = 0;

  constructor(seed: number, rate: number) {
    this.random = randomOf(seed);
    this.rate = rate;
    this.boards = [this.#board(), this.#board()];
  }

  key(): string {
    this.#keys += 1;
    const hex = this.#keys.toString(16).padStart(12, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8)}-4000-8000-000000000000`;
  }

  #board() {
    const open = new Set<BoardCall>();
    const end: WorkerEnd = new WorkerEnd(
      this.clock,
      (line) =>
        damaged(this.random, this.rate, line, (text, late) =>
          this.clock.at(LINE_MS + late, () => {
            for (const one of text.split('\n')) for (const call of [...open]) call.hear(one);
          }),
        ),
      (id, { verb, key, body }) => {
        const [word = ''] = body.toString().split('\n');
        const answer = () => this.clock.at(5, () => end.answered(id, 'ok\n'));
        if (verb !== 'sync') {
          this.sends.set(key, (this.sends.get(key) ?? 0) + 1);
          return answer();
        }
        const round = this.rounds.get(word) ?? { keys: new Set(), answer: [] };
        this.rounds.set(word, round);
        round.keys.add(key);
        round.answer.push(answer);
        if (round.keys.size < 2) return;
        for (const act of round.answer.splice(0)) act();
      },
    );
    const say = (line: string) =>
      damaged(this.random, this.rate, line, (text, late) =>
        this.clock.at(LINE_MS + late, () => end.bytes(Buffer.from(text))),
      );
    return {
      call: (data: string, key: string, done: (answer: string) => void) => {
        const call: BoardCall = new BoardCall(this.clock, { key, data }, say, (answer) => {
          open.delete(call);
          done(answer);
        });
        open.add(call);
      },
    };
  }
}

/** One board after the other: `messages` messages and `barriers` barriers on each, in turns. */
function play(seed: number, rate: number, messages: number, barriers: number) {
  const world = new World(seed, rate);
  const ended = [0, 0];
  const sent: string[] = [];
  const every = Math.max(1, Math.floor(messages / barriers));
  world.boards.forEach((board, index) => {
    let said = 0;
    let synced = 0;
    const next = () => {
      const key = world.key();
      if (said < messages && said < (synced + 1) * every) {
        said += 1;
        const words = said % 50 === 0 ? ['m', `k=${'x'.repeat(3_000)}`] : ['m', `k=${said}`];
        sent.push(key);
        return board.call(dataOf('send', key, ...words), key, next);
      }
      if (synced < barriers) {
        synced += 1;
        return board.call(dataOf('sync', key, `b${synced}`), key, next);
      }
      ended[index] = 1;
    };
    next();
  });
  world.clock.run(24 * HOUR_MS);
  return { world, ended, sent };
}

describe('calls over a line that cuts, doubles, drops, delays and mixes what goes over it', () => {
  it('10,000 messages and 1,000 barriers of two boards all come to their end, with a twentieth of the lines damaged', () => {
    const { world, ended, sent } = play(7, 0.05, 5_000, 1_000);
    expect(ended).toEqual([1, 1]);
    expect(sent.filter((key) => !world.sends.has(key))).toEqual([]);
    expect(world.sends.size).toBe(10_000);
    expect([...world.rounds.values()].filter(({ keys }) => keys.size !== 2)).toEqual([]);
    expect(world.rounds.size).toBe(1_000);
  }, 60_000);

  it('is so however much is damaged', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (seed, rate) => {
          const { world, ended, sent } = play(seed, rate, 20, 5);
          expect(ended).toEqual([1, 1]);
          expect(sent.filter((key) => !world.sends.has(key))).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  }, 60_000);
});

describe('the reader of frames', () => {
  it('never throws, and calls nobody, whatever is printed', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '<MUSTER_LINE ',
        '00000000-0000',
        ' 1/1 ',
        ' ?1',
        '>',
        '\n',
        '1.1',
        '<LAVA_MULTI_NODE> <LAVA_',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const clock = new Clock();
        const calls: unknown[] = [];
        const end = new WorkerEnd(
          clock,
          () => {},
          (id) => calls.push(id),
        );
        end.bytes(Buffer.from(`${pieces.join('')}\n`, 'latin1'));
        expect(calls).toEqual([]);
        expect(new Exchange(SESSION).hear(pieces.join(''), 0)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  const key = '01234567-89ab-4000-8000-000000000000';
  const id = key.slice(0, 13);
  const whole = boardLine(SESSION, {
    id,
    is: 'part',
    part: 1,
    parts: 1,
    data: dataOf('send', key, 'x'),
  });

  it('takes no frame that is cut after any of its bytes, and the whole one after it', () => {
    for (let at = 0; at < whole.length - 2; at += 1) {
      const calls: string[] = [];
      const end = new WorkerEnd(
        new Clock(),
        () => {},
        (called) => calls.push(called),
      );
      end.bytes(Buffer.from(`${whole.slice(0, at)}\n`));
      expect(calls, `cut after ${at} bytes`).toEqual([]);
      end.bytes(Buffer.from(whole));
      expect(calls, `cut after ${at} bytes, then whole`).toEqual([id]);
    }
  });

  it('takes no frame of which one character is another one', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length - 1 }),
        fc.integer({ min: 33, max: 126 }),
        (at, code) => {
          const other = whole.slice(0, at) + String.fromCharCode(code) + whole.slice(at + 1);
          const read = readBoardFrame(SESSION, /<MUSTER_LINE (.*)>/.exec(other)?.[1] ?? '');
          if (other !== whole && !/^\n<MUSTER_LINE .*>\n$/.test(other)) return;
          expect(read === undefined).toBe(other !== whole);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('takes no frame of another job: an old console that is printed calls nobody', () => {
    const text = /<MUSTER_LINE (.*)>/.exec(whole)?.[1] ?? '';
    expect(readBoardFrame(SESSION, text)).toMatchObject({ id });
    expect(readBoardFrame('ab12cd35', text)).toBeUndefined();
  });

  it('puts a frame together that a line of the kernel broke in two', () => {
    const calls: string[] = [];
    const end = new WorkerEnd(
      new Clock(),
      () => {},
      (called) => calls.push(called),
    );
    end.bytes(
      Buffer.from(`${whole.slice(0, 40)}[   12.345678] usb 1-1: new device\n${whole.slice(40)}`),
    );
    expect(calls).toEqual([id]);
  });

  it('tells both what a board says and what is typed for it as they were written', () => {
    const text = fc.string({
      unit: fc.constantFrom(...'abz019-_./:@%'),
      minLength: 1,
      maxLength: 400,
    });
    fc.assert(
      fc.property(text, fc.uint8Array({ maxLength: 300 }), (data, bytes) => {
        const part = { id, is: 'part', part: 2, parts: 3, data } as const;
        expect(readWorkerLine(SESSION, workerLine(SESSION, part))).toEqual(part);
        expect([...decoded(encoded(bytes))]).toEqual([...bytes]);
        // Should it come to a shell, it is no more than a comment, in any piece no more than a word.
        expect(encoded(bytes)).toMatch(/^[A-Za-z0-9_./:@%,+-]*$/);
      }),
    );
  });

  it('tells the words of a call, its key, who called and its bytes', () => {
    expect(readCall(`send,${key},12~sh&x%2By;~sh,ready,k=a+b%2C%25,`)).toEqual({
      ...{ verb: 'send', key, from: '12~sh&x+y;~sh' },
      body: Buffer.from('ready\nk=a b,%\n'),
    });
    expect(readCall(`*attachment?name=%2561,${key},,AP8`)).toEqual({
      ...{ verb: 'attachment?name=%61', key, from: '', body: Buffer.from([0, 255]) },
    });
    for (const none of ['', 'send', `send,${key}`, `SEND,${key},,x`, `send,${key} x,,x`])
      expect(readCall(none)).toBeUndefined();
  });

  it('sums as the shells of boards do: this one is in the tests of both', () => {
    expect(sumOf('abcd0123', '5f0c9a77-d21b 1/1 send,"\'\\`$(){}[]~|^*?#!@;&x<>%+,=: AZ')).toBe(
      '16220.40160',
    );
  });
});

describe('the worker’s end', () => {
  const key = '01234567-89ab-4000-8000-000000000000';
  const id = key.slice(0, 13);
  const say = (exchange: Exchange, now: number, verb = 'send') => {
    const line = boardLine(SESSION, {
      id,
      is: 'part',
      part: 1,
      parts: 1,
      data: dataOf(verb, key, 'x'),
    });
    return exchange.hear(line.slice(line.indexOf(' ') + 1, line.lastIndexOf('>')), now);
  };
  const ask = (exchange: Exchange, from: number, now: number) => {
    const line = boardLine(SESSION, { id, is: 'ask', from });
    return exchange.hear(line.slice(line.indexOf(' ') + 1, line.lastIndexOf('>')), now);
  };
  const typed = (effects: ReturnType<Exchange['hear']>) =>
    effects.flatMap((effect) =>
      effect.do === 'type' ? (readWorkerLine(SESSION, effect.line) ?? []) : [],
    );

  it('says an answer again until the board has it, and not for ever', () => {
    const exchange = new Exchange(SESSION);
    say(exchange, 0);
    expect(exchange.answered(id, Buffer.from('ok\n'), 0)).toHaveLength(1);
    expect(exchange.tick(999)).toEqual([]);
    expect(typed(exchange.tick(1_000))).toMatchObject([{ is: 'part', part: 1 }]);
    let again = 0;
    for (let now = 2_000; now < SILENT_MS_MAX; now += 1_000) again += exchange.tick(now).length;
    expect(again).toBeLessThanOrEqual(5);
    expect(ask(exchange, 2, 50_000)).toEqual([]);
    expect(exchange.nextAt).toBeUndefined();
  });

  it('calls once for a call that comes twice, and answers a late copy of one that is over with nothing', () => {
    const exchange = new Exchange(SESSION);
    expect(say(exchange, 0).map((effect) => effect.do)).toEqual(['call']);
    expect(typed(say(exchange, 1))).toEqual([{ id, is: 'want', from: 2 }]);
    exchange.answered(id, Buffer.from('ok\n'), 2);
    expect(typed(say(exchange, 3))).toMatchObject([{ is: 'part' }]);
    ask(exchange, 2, 4);
    expect(say(exchange, 5)).toEqual([]);
  });

  it('lets go of a board that has said nothing for a minute, and takes it up when it speaks again', () => {
    const exchange = new Exchange(SESSION);
    say(exchange, 0, 'wait');
    ask(exchange, 1, 30_000);
    expect(exchange.tick(SILENT_MS_MAX)).toEqual([]);
    expect(exchange.tick(30_000 + SILENT_MS_MAX)).toEqual([{ do: 'drop', id }]);
    expect(typed(ask(exchange, 1, 100_000))).toEqual([{ id, is: 'want', from: 1 }]);
    expect(say(exchange, 100_001, 'wait').map((effect) => effect.do)).toContain('call');
  });

  it('does not count the silence of a board that nobody listened to', () => {
    const exchange = new Exchange(SESSION);
    say(exchange, 0, 'wait');
    exchange.resume(10 * SILENT_MS_MAX);
    expect(exchange.tick(10 * SILENT_MS_MAX)).toEqual([]);
  });

  it('keeps no more of what boards begin than it has room for', () => {
    const exchange = new Exchange(SESSION);
    const data = 'x'.repeat(1_000);
    for (let call = 0; call < 2_000; call += 1)
      for (let part = 1; part <= 7; part += 1) {
        const other = `${call.toString(16).padStart(8, '0')}-0000`;
        const line = boardLine(SESSION, { id: other, is: 'part', part, parts: 8, data });
        exchange.hear(line.slice(line.indexOf(' ') + 1, line.lastIndexOf('>')), call);
      }
    expect(exchange.size).toBeLessThanOrEqual(256);
  });

  it('reads a line of a board that everything echoes twice as one', () => {
    const calls: string[] = [];
    const lines: string[] = [];
    const end = new WorkerEnd(
      new Clock(),
      (line) => lines.push(line),
      (called) => calls.push(called),
    );
    const whole = boardLine(SESSION, {
      id,
      is: 'part',
      part: 1,
      parts: 1,
      data: dataOf('send', key, 'x'),
    });
    end.bytes(Buffer.from(whole + whole));
    end.answered(id, 'ok\n');
    // What is typed comes back, too, and is no frame of the board.
    for (const line of [...lines]) end.bytes(Buffer.from(line + line));
    expect(calls).toEqual([id]);
    expect(new SignalReader().read({ text: lines[0] ?? '', at: 0, end: 0 })).toEqual([]);
  });
});
