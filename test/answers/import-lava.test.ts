/** Upstream's logs as a job: recorded ones, and what becomes of them when they are cut, torn, mixed and apart. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare } from '../../answers/diff.ts';
import { explain } from '../../answers/explain/explain.ts';
import { CoordinatorLogReader, isCoordinatorLine } from '../../answers/imported/coordinator-log.ts';
import { type Imported, type ImportOptions, imported } from '../../answers/imported/imported.ts';
import { JobLogReader } from '../../answers/imported/job-log.ts';
import { LogRefused, type ReadLog } from '../../answers/imported/observed.ts';
import { pythonLiteral } from '../../answers/imported/python-literal.ts';
import { Moments } from '../../answers/moments.ts';
import { stateAt } from '../../answers/state-at.ts';
import { StateView } from '../../answers/views.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { evolveJob, initialJob } from '../../machines/job/job.ts';
import { parseEvent } from '../../machines/versions.ts';

const folder = fileURLToPath(new URL('./lava-logs', import.meta.url));
const linesOf = (file: string) =>
  readFileSync(`${folder}/${file}`, 'utf8').split('\n').slice(0, -1);
const jobsOf = (group: string) =>
  readdirSync(`${folder}/${group}`)
    .filter((name) => /^\d/.test(name))
    .map((name) => `${group}/${name}`);

function read(file: string, lines: readonly string[]): ReadLog {
  const first = lines.find((line) => line.trim() !== '') ?? '';
  const reader = isCoordinatorLine(first) ? new CoordinatorLogReader(file) : new JobLogReader(file);
  for (const line of lines) reader.line(line);
  return reader.end();
}
const readFile = (file: string) => read(file, linesOf(file));
const group = (name: string, options?: ImportOptions) =>
  imported(jobsOf(name).map(readFile), options);

/** Every event is one that a log could hold, and all of them fold. */
function assertSound({ evidence }: Imported): RecordedEvent<JobEvent>[] {
  let job = initialJob;
  for (const [at, event] of evidence.events.entries()) {
    expect(parseEvent(event).event).toEqual({ type: event.type, data: event.data });
    expect([event.version, event.stream]).toEqual([at + 1, `job-${evidence.job}`]);
    job = evolveJob(job, event);
  }
  return [...evidence.events];
}

/** Who said what, waited for what and how it ended, without when. */
const talkOf = ({ evidence }: Imported, types = ['MessageSent', 'WaitStarted', 'WaitReleased']) =>
  evidence.events
    .filter(({ type }) => types.includes(type))
    .map(({ type, data }) => {
      const { member, verb, message, role, round, count, pairs } = data as Record<string, unknown>;
      return JSON.stringify([member, type, verb, message, role, round, count, pairs]);
    })
    .sort();

describe('logs of the jobs of one group', () => {
  it('tell what each member did, what it was answered, what its board printed, and how it ended', () => {
    const is = group('good');
    const events = assertSound(is);
    expect(is.evidence.job).toBe(1201);
    expect(events.at(-1)?.type).toBe('JobCompleted');
    const moments = new Moments(events);
    const view = stateAt(1201, moments, events.length);
    expect(StateView.parse(view)).toEqual(view);
    expect(view.job.members.map(({ device, role, state }) => [device, role, state])).toEqual([
      ['1201', 'server', 'complete'],
      ['1202', 'client', 'complete'],
      ['1203', 'client', 'complete'],
    ]);
    expect(view.barriers.map(({ id, verb, role, released }) => [verb, id, role, released])).toEqual(
      expect.arrayContaining([
        ['wait', 'ip', undefined, true],
        ['sync', 'ready', undefined, true],
        ['wait-all', 'done', 'client', true],
        ['sync', 'bye', undefined, true],
      ]),
    );
    expect(view.boards[0]?.cache?.lines).toEqual(['1203:who=c', '1202:who=c']);
    const [server] = view.boards;
    const console = is.evidence.console('1201');
    expect(server?.console?.bytes).toBe(console.bytes);
    const results = events.flatMap(({ type, data }) => (type === 'ResultRecorded' ? [data] : []));
    expect(results).toContainEqual(
      expect.objectContaining({
        member: '1202',
        case: 'throughput',
        measurement: '93.5',
        units: 'Mbits/s',
      }),
    );
  });

  it('have their consoles with the time of each line, and each call where it stands in them', async () => {
    const { evidence } = group('good');
    const console = evidence.console('1202');
    const text = (await console.read(0, console.bytes)).toString();
    expect(text).toContain('+ lava-sync ready\n');
    for (const event of evidence.events) {
      if (event.type !== 'WaitStarted' || event.data.member !== '1202') continue;
      const before = text.slice(0, event.meta.console);
      expect(before).toContain(`lava-${event.data.verb} ${event.data.message}`);
      const at = await console.timeAt((event.meta.console ?? 1) - 1);
      expect(Math.abs((at ?? 0) - event.meta.at)).toBeLessThan(1_000);
    }
  });

  it('are the same as the list that a server keeps, in blocks, and with the line ends of another system', () => {
    const files = jobsOf('good');
    const plain = imported(files.map(readFile)).evidence.events;
    const inBlocks = (line: string) => {
      const { dt, lvl, msg } = JSON.parse(line.replaceAll(/! "/g, '"'));
      return `- dt: ${JSON.stringify(dt)}\n  lvl: ${lvl}\n  msg: ${JSON.stringify(msg)}`.split(
        '\n',
      );
    };
    const forms: ((line: string) => string[])[] = [
      (line) => [`- ${line}`],
      inBlocks,
      (line) => [`${line}\r`],
      (line) => [line, ''],
    ];
    for (const form of forms) {
      const logs = files.map((file) => read(file, linesOf(file).flatMap(form)));
      expect(imported(logs).evidence.events).toEqual(plain);
    }
  });

  it('lead to the same causes as a job of our own does', async () => {
    const bad = group('bad');
    assertSound(bad);
    expect(await explain(bad.evidence)).toMatchObject({
      kind: 'arrived-with-another-id',
      culprit: { device: '2203', role: 'client', id: 'raedy' },
    });
    const dies = group('dies');
    assertSound(dies);
    expect(await explain(dies.evidence)).toMatchObject({ culprit: { device: '4203' } });
    // A send that the coordinator refused was heard by nobody.
    expect(talkOf(dies).filter((one) => one.includes('"send","done"'))).toEqual([]);
    expect((await explain(group('good').evidence)).kind).toBe('nothing-failed');
  });

  it('can be compared with one another, whatever their members are called', () => {
    const [good, other] = [group('good'), group('good', { job: 7 })];
    expect(other.evidence.job).toBe(7);
    expect(compare(good.evidence.events, other.evidence.events).divergences).toEqual([]);
    expect(
      compare(good.evidence.events, group('bad').evidence.events).divergences[0],
    ).toMatchObject({
      pair: { bad: { device: '2203' } },
      bad: { what: 'lava-sync raedy' },
    });
  });

  it('of which one is missing tell of its member only what the others heard', () => {
    const whole = group('good');
    const some = imported(
      jobsOf('good')
        .filter((file) => !file.includes('1203'))
        .map(readFile),
    );
    assertSound(some);
    const of = (is: Imported) =>
      talkOf(is, ['MessageSent']).filter((one) => one.startsWith('["1203"'));
    expect(of(some)).toEqual(of(whole));
    expect(talkOf(some, ['WaitStarted']).some((one) => one.startsWith('["1203"'))).toBe(false);
    expect(some.unknown.join('\n')).toMatch(/what 1203 did: no log of it is here/);
    expect(some.unknown.join('\n')).toMatch(/when 1203 sent ready, done, bye/);
    expect(some.evidence.events.at(-1)?.type).not.toMatch(/^Job/);
  });

  it('by clocks that are hours apart are ordered by what was heard, and it is said', () => {
    const late = (line: string) => line.replace(/T11:/, 'T13:');
    const [one = '', ...others] = jobsOf('good');
    const logs = [read(one, linesOf(one).map(late)), ...others.map(readFile)];
    const is = imported(logs);
    assertSound(is);
    expect(talkOf(is)).toEqual(talkOf(group('good')));
    const order = is.evidence.events;
    const sent = order.findIndex((e) => e.type === 'MessageSent' && e.data.message === 'ip');
    const heard = order.findIndex((e) => e.type === 'WaitReleased');
    expect(sent).toBeLessThan(heard);
    expect(is.unknown.join('\n')).toMatch(
      /1201 and 120[23] .* clocks are at least 7\d\d\d\.\d s apart/,
    );
    expect(group('good').unknown.join('\n')).not.toContain('apart');
  });
});

describe("a coordinator's log", () => {
  it('tells the same conversation as the logs of the jobs', () => {
    for (const name of ['good', 'bad']) {
      const alone = imported([readFile(`${name}/lava-coordinator.log`)]);
      assertSound(alone);
      const jobs = talkOf(group(name), ['MessageSent', 'WaitStarted']);
      expect(talkOf(alone, ['MessageSent', 'WaitStarted'])).toEqual(jobs);
    }
    const good = imported([readFile('good/lava-coordinator.log')]);
    expect(talkOf(good)).toEqual(talkOf(group('good')));
    expect(good.unknown.join('\n')).toContain('how members ended');
    expect(good.evidence.events.at(-1)?.type).not.toMatch(/^Job/);
  });

  it('of the level INFO tells what it has, and says that waits are not told', () => {
    const is = imported([readFile('info/lava-coordinator.log')]);
    assertSound(is);
    expect(talkOf(is, ['MessageSent'])).toEqual(talkOf(group('info'), ['MessageSent']));
    expect(is.unknown.join('\n')).toContain('when waits began');
  });

  it('stands in for members of whose jobs no log is here, by the clock of the others', () => {
    const clock = (line: string) => line.replace(/ 11:/, ' 05:');
    const coordinator = read(
      'lava-coordinator.log',
      linesOf('good/lava-coordinator.log').map(clock),
    );
    const is = imported([coordinator, readFile('good/1201.log')]);
    assertSound(is);
    expect(talkOf(is)).toEqual(talkOf(group('good')));
    const times = is.evidence.events.map(({ meta }) => meta.at);
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(60_000);
  });

  it('of several groups has to be told which', () => {
    const both = [...linesOf('good/lava-coordinator.log'), ...linesOf('bad/lava-coordinator.log')];
    const log = read('lava-coordinator.log', both);
    expect(() => imported([log])).toThrow(/several groups.*--group.*group-good, group-bad/);
    expect(() => imported([log], { group: 'group-x' })).toThrow('there is no group group-x');
    expect(talkOf(imported([log], { group: 'group-bad' }), ['MessageSent'])).toEqual(
      talkOf(group('bad'), ['MessageSent']),
    );
    // The logs of jobs say it.
    const mixed = imported([log, readFile('good/1201.log')]);
    expect(talkOf(mixed)).toEqual(talkOf(group('good')));
  });
});

describe('what is no such log', () => {
  it('is refused in a sentence', () => {
    const refused: [string[], RegExp][] = [
      [['hello'], /neither the log of lava-coordinator nor that of a job/],
      [['{"hello": 1}'], /neither/],
      [['- a', '- b'], /neither/],
      [[JSON.stringify({ dt: 'yesterday', lvl: 'info', msg: '' })], /neither/],
    ];
    for (const [lines, why] of refused) expect(() => read('x.log', lines), lines[0]).toThrow(why);
    expect(() => imported([readFile('good/1201.log'), readFile('bad/2201.log')])).toThrow(
      /several groups.*1201\.log: group-good; .*2201\.log: group-bad/,
    );
    expect(() => imported([readFile('good/1201.log'), readFile('good/1201.log')])).toThrow(
      'a log of job 1201 is among the others already',
    );
    const twice = [...linesOf('good/1201.log'), ...linesOf('good/1202.log')];
    expect(() => read('x.log', twice)).toThrow('it is of several jobs: 1201, 1202');
    const quiet = ['2026-01-01 10:00:00,000    INFO Ready to accept new connections'];
    expect(() => imported([read('c.log', quiet)])).toThrow(
      'nobody in them calls the MultiNode API',
    );
  });

  it('in part is read for the rest, and what was cut is said', () => {
    const lines = linesOf('good/1202.log');
    const cut = [...lines.slice(0, 80), lines[80]?.slice(0, 60) ?? ''];
    const is = imported([read('good/1202.log', cut)]);
    assertSound(is);
    expect(is.unknown.join('\n')).toContain('good/1202.log ends in the middle of a line');
    expect(is.unknown.join('\n')).toContain('how 1202 ended');
    const torn = lines.map((line, at) => (at === 20 ? '{"dt": "2026-' : line));
    expect(imported([read('1202.log', torn)]).unknown).toContain(
      '1 entries of 1202.log that cannot be read',
    );
  });

  it('never gives a job that does not fold, whatever lines are lost, doubled, moved or cut', () => {
    const logs = [...jobsOf('good'), 'bad/2202.log', 'good/lava-coordinator.log'].map((file) => ({
      file,
      lines: linesOf(file),
    }));
    const harm = fc.record({
      lost: fc.array(fc.nat(200), { maxLength: 12 }),
      doubled: fc.array(fc.nat(200), { maxLength: 3 }),
      moved: fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { maxLength: 4 }),
      cut: fc.option(fc.tuple(fc.nat(200), fc.nat(300)), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(harm, { minLength: logs.length, maxLength: logs.length }), (harms) => {
        const read_ = logs.flatMap(({ file, lines }, at) => {
          const { lost = [], doubled = [], moved = [], cut } = harms[at] ?? {};
          let left = lines.filter((_, line) => !lost.includes(line));
          left = left.flatMap((text, line) => (doubled.includes(line) ? [text, text] : [text]));
          for (const [from, to] of moved) left.splice(to, 0, ...left.splice(from, 1));
          if (cut) left = [...left.slice(0, cut[0]), left[cut[0]]?.slice(0, cut[1]) ?? ''];
          return refusedOr(() => read(file, left)) ?? [];
        });
        const is = refusedOr(() => imported(read_, { group: 'group-good' }));
        if (is !== undefined) assertSound(is);
      }),
      { numRuns: 150 },
    );
  });
});

function refusedOr<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof LogRefused) return undefined;
    throw error;
  }
}

describe('what Python prints of a value', () => {
  it('is read back', () => {
    expect(
      pythonLiteral(
        `{'a': 'it\\'s', "b": "say \\"x\\"", 'c': [1, -2.5e3, None], 'd': {'e': True}, 'f': '\\x1b\\u00e4\\n'}`,
      ),
    ).toEqual({ a: "it's", b: 'say "x"', c: [1, -2500, null], d: { e: true }, f: '\u001bä\n' });
  });

  it('is none where it is cut off, and no text makes the reader throw', () => {
    const text = "{'port': 43079, 'message': {'k': 'v w'}}";
    for (let end = 0; end < text.length; end++)
      expect(pythonLiteral(text.slice(0, end))).toBeUndefined();
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...`{}[]()'"\\:, xu1-eN`) }),
        (any) => void pythonLiteral(any),
      ),
    );
    expect(pythonLiteral('['.repeat(10_000))).toBeUndefined();
  });
});
