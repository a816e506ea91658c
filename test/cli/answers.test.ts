/** The commands that answer from evidence: against a real server over loopback, and from a bundle without one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { bundleOf } from '../../api/bundle.ts';
import type { MemberCommand } from '../../machines/commands.ts';
import { evidenceOf } from '../answers/evidence.ts';
import { doors, listening, pair, say, until } from '../api/bench.ts';
import { Lab } from '../machines/lab.ts';
import { here, widest } from './fake-server.ts';

/** A job that has said something, with consoles and with what ran; its server, and its bundle. */
async function job12(options: Parameters<typeof doors>[0] = {}) {
  const lab = await doors(options);
  const { job, server, client } = await pair(lab.engine);
  const folder = mkdtempSync(join(tmpdir(), 'muster-answers-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const keep = async (text: string) => {
    const kept = await lab.attachments.put(
      (async function* () {
        yield Buffer.from(text);
      })(),
      1e6,
    );
    if (kept === 'too-large') throw new Error(kept);
    return kept;
  };
  const script = await keep('#!/bin/sh\nset -ex\nlava-sync ready\n');
  const list = { files: [], scripts: [{ name: 'run.sh', ...script, steps: [[2, 5]] }] };
  const { digest: sources } = await keep(JSON.stringify(list));
  for (const member of [server, client]) {
    const prepare: MemberCommand = {
      type: 'PrepareSuite',
      member,
      action: 0,
      suite: '0_smoke',
      source: {
        from: 'git',
        repository: 'https://g.example/t',
        commit: 'c'.repeat(40),
        path: 's.yaml',
      },
      parameters: [['N', '1']],
      sources,
    };
    await lab.engine.member(job, prepare, { actor: 'worker:w', key: `p-${member}` });
  }
  writeFileSync(lab.consoleFile(job, server), 'booted\n+ lava-sync ready\n');
  writeFileSync(`${lab.consoleFile(job, server)}.times`, '7 1000\n25 2000\n');
  await say(lab.app, { job, device: server }, 'send', 'up', 'ip=10.0.0.1', 'port=80');
  await say(lab.app, { job, device: client }, 'wait', 'up');
  const url = `http://127.0.0.1:${await listening(lab.app)}`;
  const file = join(folder, 'job.tar.gz');
  const run = (...args: string[]) => here(args, { env: { MUSTER_URL: url, TZ: 'UTC' } });
  return { ...lab, job, server, client, url, file, folder, run };
}

type Job = Awaited<ReturnType<typeof job12>>;
let is: Job;
beforeEach(async () => {
  is = await job12();
});

const bundled = async () => {
  expect(await is.run('bundle', String(is.job), is.file)).toMatchObject({ exit: 0, err: '' });
};

describe('muster replay', () => {
  it('shows who was where at an event, what each board could read, and fits 80 columns', async () => {
    const { exit, out, err } = await is.run('replay', String(is.job));
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(/event \d+ of \d+ .* is released from lava-wait up/s);
    expect(out).toMatch(/cache file, written at event \d+:\s+ip=10\.0\.0\.1\s+port=80/);
    expect(widest(out)).toBeLessThanOrEqual(80);
    const early = await is.run('replay', String(is.job), '--at', '2');
    expect(early.out).toContain('event 2 of ');
    expect(early.out).not.toContain('cache file, ');
    const one = await is.run('replay', String(is.job), '--device', is.server);
    expect(one.out).not.toContain('cache file, ');
    expect(await is.run('replay', String(is.job), '--device', 'nobody')).toMatchObject({ exit: 1 });
  });

  it('takes a time of day, from a server and from a bundle alike', async () => {
    const { out } = await is.run('replay', String(is.job), '--at', '4', '--json');
    const { at } = JSON.parse(out).at;
    const word = at.slice(11, 23);
    const asked = ['--at', word, '--json'];
    const there = await is.run('replay', String(is.job), ...asked);
    expect(JSON.parse(there.out).at.at).toBe(at);
    await bundled();
    expect(await is.run('replay', '--bundle', is.file, ...asked)).toEqual(there);
    const early = await is.run('replay', String(is.job), '--at', '0:00:00.000');
    expect([early.exit, early.err]).toEqual([
      1,
      expect.stringContaining('nothing had happened by'),
    ]);
    expect((await is.run('replay', String(is.job), '--at', '25:00:00')).exit).toBe(2);
  });

  it('shows the queue and the boards as they were, and that they are unknown where a bundle does not hold them', async () => {
    const first = await is.run('replay', String(is.job), '--at', '1');
    expect(first.out).toMatch(/queue and boards\n {2}1 job in the queue; this one is number 1: /);
    const last = await is.run('replay', String(is.job));
    expect(last.out).toMatch(
      new RegExp(
        `queue and boards\\n {2}0 jobs in the queue\\n[\\s\\S]*${is.server} +panda +job ${is.job} +`,
      ),
    );
    const tar = gunzipSync(
      await buffer(bundleOf(evidenceOf(new Lab('a:r b:r')), { version: '1', now: 0 })),
    );
    const file = join(is.folder, 'without.tar.gz');
    writeFileSync(file, gzipSync(tar));
    const { exit, out } = await here(['replay', '--bundle', file]);
    expect([exit, out]).toEqual([0, expect.stringContaining('queue and boards\n  unknown')]);
  });

  it('goes forwards and backwards by keys, and says that it needs a terminal where there is none', async () => {
    const keys = async function* () {
      for (const key of ['n', 'x', 'p', 'p', 'G', '\u001b[D', 'g', 'q', 'n']) yield key;
    };
    const env = { MUSTER_URL: is.url };
    const { exit, out } = await here(['replay', String(is.job), '--step', '--at', '3'], {
      env,
      keys: keys(),
    });
    const of = (await is.engine.job(is.job)) && out.match(/event \d+ of (\d+)/)?.[1];
    // Above the page, and again below it: the top of a long one is out of sight.
    const shown = [...out.matchAll(/^event (\d+) of.*\n(?: .*\n)*n p: /gm)].map(([, at]) => at);
    expect([exit, shown]).toEqual([0, ['3', '4', '3', '2', of, String(Number(of) - 1), '1']]);
    expect((await is.run('replay', String(is.job), '--step')).exit).toBe(2);
  });

  it('follows a live job event by event to its end', async () => {
    const following = is.run('replay', String(is.job), '--follow', '--json');
    await is.engine.cancel(is.job, 'enough', { actor: 'user:test', key: 'cancel' });
    const { exit, out } = await following;
    const states = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(exit).toBe(0);
    expect(states.at(-1)).toMatchObject({
      job: { state: 'cancelled' },
      at: { type: 'JobCancelled' },
    });
    const events = states.map(({ at }) => at.event);
    expect(events).toEqual(events.map((_, i) => events[0] + i));
  });
});

describe('muster barriers --follow', () => {
  it('shows each barrier as it is now, and again as it changes, to the end of the job', async () => {
    const seen: string[] = [];
    let isShown = () => {};
    const shown = new Promise<void>((resolve) => {
      isShown = resolve;
    });
    const following = here(['barriers', String(is.job), '--follow'], {
      env: { MUSTER_URL: is.url },
      onText: (out) => {
        seen.push(out);
        isShown();
      },
    });
    await shown;
    expect(seen.at(-1)).toMatch(/^lava-wait up +released/);
    const synced = [is.server, is.client].map((device) =>
      say(is.app, { job: is.job, device }, 'sync', 'go'),
    );
    await Promise.all(synced);
    await is.engine.cancel(is.job, 'enough', { actor: 'user:test', key: 'cancel' });
    const { exit, out } = await following;
    expect(exit).toBe(0);
    expect(out.match(/^lava-sync go .*$/gm)?.map((line) => line.replace(/ +/g, ' '))).toEqual([
      'lava-sync go round 1 not released',
      'lava-sync go round 1 not released',
      'lava-sync go round 1 released',
    ]);
  });
});

describe('muster sources', () => {
  it('lists what ran with its commit, boards that ran the same together, and prints a file', async () => {
    const { out } = await is.run('sources', String(is.job));
    expect(out).toContain(`0_smoke  on ${is.server}, ${is.client}`);
    expect(out).toContain('c'.repeat(40));
    expect(widest(out)).toBeLessThanOrEqual(80);
    const { out: text } = await is.run('sources', String(is.job), 'run.sh');
    expect(text).toBe('#!/bin/sh\nset -ex\nlava-sync ready\n');
    expect(await is.run('sources', String(is.job), 'other.sh')).toMatchObject({ exit: 1 });
  });
});

describe('muster trace', () => {
  it('tells a cause and its effects as a tree, across streams, the same from a bundle', async () => {
    await is.engine.cancel(is.job, 'enough', { actor: 'user:test', key: 'cancel' });
    await until(() => is.engine.directory.held.size === 0 || undefined);
    const { out: events } = await is.run('events', String(is.job), '--json');
    const end = events.trimEnd().split('\n').length;
    const { exit, out } = await is.run('trace', `${is.job}/${end}`);
    expect(exit).toBe(0);
    expect(out).toContain('user:test');
    expect(out).toMatch(new RegExp(`device-${is.server} \\d+ .* is given back by`));
    expect(widest(out)).toBeLessThanOrEqual(80);
    await bundled();
    const env = { TZ: 'UTC' };
    expect((await here(['trace', '--bundle', is.file, String(end)], { env })).out).toBe(out);
    expect(await is.run('trace', '41')).toMatchObject({ exit: 2 });
    expect(await is.run('trace', `${is.job}/999`)).toMatchObject({ exit: 1 });
  });
});

describe('muster diff', () => {
  it('compares with the last run of the same definition that passed, over the API and from bundles alike', async () => {
    expect(await is.run('diff', String(is.job))).toMatchObject({ exit: 1, out: '' });
    for (const { device } of (await is.engine.job(is.job))?.members ?? [])
      await is.engine.member(
        is.job,
        { type: 'EndAction', member: device, action: 0, outcome: 'ok' },
        { actor: 'worker:w', key: `end ${device}` },
      );
    const { job: bad } = await pair(is.engine);
    await is.engine.cancel(bad, 'enough', { actor: 'user:test', key: 'cancel' });
    const { exit, out } = await is.run('diff', String(bad));
    expect([exit, out]).toEqual([
      0,
      expect.stringContaining(`job ${is.job} (complete, the last that passed)`),
    ]);
    expect(out).toContain('first divergence');
    expect(widest(out)).toBeLessThanOrEqual(80);
    const two = await is.run('diff', String(is.job), String(bad));
    const other = join(is.folder, 'bad.tar.gz');
    await bundled();
    expect(await is.run('bundle', String(bad), other)).toMatchObject({ exit: 0 });
    const env = { TZ: 'UTC' };
    expect(await here(['diff', '--bundle', is.file, '--bundle', other], { env })).toEqual(two);
    expect(await is.run('diff', '--bundle', is.file)).toMatchObject({ exit: 2 });
    expect((await is.run('diff', String(bad), String(bad))).out).toContain(
      'no board did anything else',
    );
  });
});

describe('muster what-if', () => {
  const send = async () => {
    const { out } = await is.run('events', String(is.job), '--json');
    const lines = out.trimEnd().split('\n');
    return String(lines.findIndex((line) => line.includes('"MessageSent"')) + 1);
  };

  it('tells how a job ends with a change, beside how it was, the same over the API', async () => {
    const { exit, out } = await is.run('what-if', String(is.job), '--drop', await send());
    expect(exit).toBe(0);
    expect(out).toContain('is lost');
    expect(out).toMatch(/what if +(unknown|failed|timedOut) after/);
    expect(widest(out)).toBeLessThanOrEqual(80);
    const { out: json } = await is.run('what-if', String(is.job), '--drop', await send(), '--json');
    const served = await is.app.inject(`/api/jobs/${is.job}/what-if?drop=${await send()}`);
    expect(served.json()).toEqual(JSON.parse(json));
  });

  it('looks at every order, and says how many and whether that was all', async () => {
    const { exit, out } = await is.run('what-if', String(is.job), '--interleave');
    expect(exit).toBe(0);
    expect(out).toMatch(/\d+ states looked at, and that is all of them/);
    const { out: json } = await is.run('what-if', String(is.job), '--interleave', '--json');
    expect((await is.app.inject(`/api/jobs/${is.job}/orders`)).json()).toEqual(JSON.parse(json));
  });

  it('refuses a change that cannot be, and says how one is written', async () => {
    for (const change of [
      ['--drop', '1'],
      ['--drop', 'x'],
      ['--delay', 'nobody:3s'],
      ['--delay', `${is.server}:soon`],
      ['--crash', is.server],
      ['--crash', `${is.server}@999`],
    ]) {
      const { exit, err } = await is.run('what-if', String(is.job), ...change);
      expect([change, exit]).toEqual([change, 1]);
      expect(err).toMatch(/^muster: ./);
      const [kind = '', text = ''] = change;
      const { statusCode } = await is.app.inject(
        `/api/jobs/${is.job}/what-if?${kind.slice(2)}=${encodeURIComponent(text)}`,
      );
      expect([400, 404]).toContain(statusCode);
    }
  });
});

describe('a bundle', () => {
  it('gives the same views as its server, byte for byte, with the server gone', async () => {
    await bundled();
    const commands = [
      ['replay'],
      ['replay', '--at', '4'],
      ['sources'],
      ['trace', '--shiviz'],
      ['what-if', '--interleave'],
      ['what-if', '--delay', `${is.server}:20s`],
    ];
    const asked = async (how: string[], more: string[]) =>
      Promise.all(
        commands.flatMap(([name = '', ...rest]) =>
          [[], ['--json']].map((json) =>
            here([name, ...how, ...rest, ...json], {
              env: { ...Object.fromEntries(more.map((url) => ['MUSTER_URL', url])), TZ: 'UTC' },
            }),
          ),
        ),
      );
    const served = await asked([String(is.job)], [is.url]);
    await is.app.close();
    expect(await asked(['--bundle', is.file], [])).toEqual(served);
    expect((await here(['sources', '--bundle', is.file, 'run.sh'])).out).toContain(
      'lava-sync ready',
    );
  });

  it('is fetched by itself for an answer about a job that is too long for the server, which is the same then', async () => {
    const long = await job12({ answerEventsMax: 5 });
    const id = String(long.job);
    for (const path of ['trace?event=3', 'diff?with=1', 'orders', 'what-if', 'explanation']) {
      const { statusCode, body } = await long.app.inject(`/api/jobs/${id}/${path}`);
      expect([path, statusCode, JSON.parse(body).code]).toEqual([path, 422, 'too-many-events']);
    }
    expect((await long.app.inject(`/api/jobs/${id}/state?at=3`)).statusCode).toBe(200);
    await long.run('bundle', id, long.file);
    const told = `muster: job ${id} is long: it is fetched whole\n`;
    for (const [asked, bundled] of [
      [['explain', id], ['explain']],
      [
        ['trace', `${id}/3`],
        ['trace', '3'],
      ],
    ] as const) {
      const { exit, out, err } = await long.run(...asked);
      expect([asked, exit, err]).toEqual([asked, 0, told]);
      expect(await here([...bundled, '--bundle', long.file], { env: { TZ: 'UTC' } })).toEqual({
        exit,
        out,
        err: '',
      });
    }
    const { exit, out } = await long.run('diff', id, id);
    expect(exit).toBe(0);
    expect(await here(['diff', '--bundle', long.file, '--bundle', long.file])).toMatchObject({
      out,
    });
  });

  it('is not believed when it was cut off, edited, or is something else', async () => {
    await bundled();
    const whole = readFileSync(is.file);
    const tar = gunzipSync(whole);
    const broken: [string, Buffer, RegExp][] = [
      ['cut', whole.subarray(0, whole.length - 20), /was cut off/],
      ['cut early', whole.subarray(0, 40), /no bundle|cut off/],
      ['empty', Buffer.alloc(0), /no bundle|cut off/],
      ['text', Buffer.from('hello'), /no bundle/],
      [
        'edited',
        gzipSync(
          Buffer.from(
            tar
              .toString('latin1')
              .replace('ip=10.0.0.1', 'ip=10.0.0.2')
              .replace('"10.0.0.1"', '"10.0.0.9"'),
            'latin1',
          ),
        ),
        /was edited: its part/,
      ],
      [
        'without its end',
        gzipSync(tar.subarray(0, tar.lastIndexOf('end.json'))),
        /cut off|edited|damaged/,
      ],
    ];
    for (const [name, bytes, why] of broken) {
      const file = join(is.folder, 'broken.tar.gz');
      writeFileSync(file, bytes);
      const { exit, out, err } = await here(['replay', '--bundle', file]);
      expect([name, exit, out]).toEqual([name, 2, '']);
      expect(err.replace(/\s+/g, ' '), name).toMatch(why);
    }
    expect((await here(['replay', '--bundle', join(is.folder, 'none')])).err).toContain(
      'no such file',
    );
    expect(await here(['replay', '99', '--bundle', is.file])).toMatchObject({ exit: 2 });
    expect(await here(['replay'])).toMatchObject({ exit: 2 });
  });

  it('is refused in words wherever it was cut off and whichever byte of it was changed, or says what it said before', async () => {
    await bundled();
    const whole = readFileSync(is.file);
    const tar = gunzipSync(whole);
    const file = join(is.folder, 'broken.tar.gz');
    const asked = async (bytes: Buffer) => {
      writeFileSync(file, bytes);
      const said = [];
      for (const how of [['replay', '--json'], ['explain'], ['sources'], ['trace', '--shiviz']])
        said.push(await here([...how, '--bundle', file], { env: { TZ: 'UTC' } }));
      return said;
    };
    const before = await asked(whole);
    expect(before.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
    const isRefused = ({ exit, out, err }: (typeof before)[number]) =>
      exit === 2 && out === '' && /no bundle|cut off|edited|damaged|newer version/.test(err);
    const at = (count: number, of: Buffer) =>
      Array.from({ length: count }, (_, n) => Math.floor((n * of.length) / count));
    for (const place of at(20, whole))
      expect([place, (await asked(whole.subarray(0, place))).every(isRefused)]).toEqual([
        place,
        true,
      ]);
    // A tar may be packed anew: it is cut between its blocks, and within them.
    for (const place of at(20, tar))
      expect([place, (await asked(gzipSync(tar.subarray(0, place)))).every(isRefused)]).toEqual([
        place,
        true,
      ]);
    const edited = (of: Buffer, place: number) => {
      const bytes = Buffer.from(of);
      bytes[place] = (bytes[place] ?? 0) ^ 0x15;
      return bytes;
    };
    let refused = 0;
    for (const place of [...at(50, whole), ...Array.from({ length: 10 }, (_, n) => n)]) {
      const said = await asked(edited(whole, place));
      if (said.every(isRefused)) refused++;
      else expect([place, said]).toEqual([place, before]);
    }
    // What is in no part (when it was packed, what fills a block) may differ, and says nothing.
    for (const place of at(150, tar)) {
      const said = await asked(gzipSync(edited(tar, place)));
      if (said.every(isRefused)) refused++;
      else expect([place, said, tar[place]]).toEqual([place, before, 0]);
    }
    expect(refused).toBeGreaterThan(100);
  }, 120_000);

  it('is not written over a file that is there, and not for a job that is not', async () => {
    await bundled();
    expect((await is.run('bundle', String(is.job), is.file)).exit).not.toBe(0);
    expect(await is.run('bundle', '99', join(is.folder, 'x'))).toMatchObject({ exit: 1 });
  });
});

describe('muster explain', () => {
  it('says the same from a bundle as from the server, and fits 80 columns', async () => {
    await bundled();
    const server = await is.run('explain', String(is.job));
    expect(server).toMatchObject({ exit: 0, err: '' });
    expect(server.out).toContain('nothing-failed: nothing failed so far.');
    expect(widest(server.out)).toBeLessThanOrEqual(80);
    expect(await is.run('explain', '--bundle', is.file)).toEqual(server);
    const json = await is.run('explain', String(is.job), '--json');
    expect(await is.run('explain', '--bundle', is.file, '--json')).toEqual(json);
    expect(JSON.parse(json.out)).toMatchObject({ job: is.job, kind: 'nothing-failed' });
  });
});
