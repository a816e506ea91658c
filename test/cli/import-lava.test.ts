/** `muster import-lava`, and what answers from the bundle that it makes; with real logs of upstream's programs. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { here, widest } from './fake-server.ts';

const logs = fileURLToPath(new URL('../answers/lava-logs', import.meta.url));
const jobs = (group: string) =>
  readdirSync(join(logs, group))
    .filter((name) => /^\d/.test(name))
    .map((name) => join(logs, group, name));

let out: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-import-lava-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  out = join(folder, 'group.tar.gz');
});
const words = (text: string) => text.replace(/\s+/g, ' ');

describe('muster import-lava', () => {
  it('makes a bundle of which every answer can be had, each with what is not known on stderr', async () => {
    const made = await here(['import-lava', '--out', out, ...jobs('bad')]);
    expect([made.exit, made.err]).toEqual([0, '']);
    expect(words(made.out)).toMatch(
      /job 2201, 3 members, \d+ events not known: the job as it was submitted/,
    );
    expect(widest(made.out.replaceAll(/.*(?:lava-logs|import-lava).*\n/g, ''))).toBeLessThanOrEqual(
      80,
    );
    const ask = (...how: string[]) => here([...how, '--bundle', out]);
    const explained = await ask('explain');
    expect([explained.exit, words(explained.err)]).toEqual([
      0,
      expect.stringContaining('what it does not hold is unknown: the job as it was submitted'),
    ]);
    expect(explained.out).toContain('arrived-with-another-id: 2203 (client) calls lava-sync raedy');
    const replayed = await ask('replay', '--at', '20');
    expect(replayed).toMatchObject({ exit: 0, out: expect.stringContaining('event 20 of ') });
    expect(replayed.out).toContain('queue and boards\n  unknown');
    expect((await ask('trace', '--shiviz')).exit).toBe(0);
    expect((await ask('trace', '20')).exit).toBe(0);
    expect((await ask('sources')).exit).toBe(0);
    const good = join(out, '../good.tar.gz');
    await here(['import-lava', '--out', good, ...jobs('good')]);
    const compared = await here(['diff', '--bundle', good, '--bundle', out]);
    expect([compared.exit, words(compared.out)]).toEqual([
      0,
      expect.stringContaining('lava-sync raedy'),
    ]);
  });

  it('says the same to programs', async () => {
    const log = join(logs, 'good', 'lava-coordinator.log');
    const { exit, out: text } = await here([
      'import-lava',
      '--out',
      out,
      '--json',
      '--job',
      '12',
      log,
    ]);
    expect(exit).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      job: 12,
      members: [
        { device: '1202', role: 'client' },
        { device: '1203', role: 'client' },
        { device: '1201', role: 'server' },
      ],
      unknown: expect.arrayContaining([expect.stringContaining('time zone')]),
    });
  });

  it('refuses what is no such log in a sentence, and then writes nothing', async () => {
    const [good = '', other = ''] = [...jobs('good'), ...jobs('bad').slice(0, 1)].filter(
      (_, at) => at === 0 || at === 3,
    );
    const text = join(out, '../notes.txt');
    writeFileSync(text, 'hello\n');
    const empty = join(out, '../empty.yaml');
    writeFileSync(empty, '');
    const binary = join(out, '../binary.yaml');
    writeFileSync(binary, Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7) % 256)));
    for (const [files, why] of [
      [[text], /notes\.txt: it is neither the log of lava-coordinator nor/],
      [[empty], /empty\.yaml: it is empty/],
      [[binary], /binary\.yaml: /],
      [[join(out, '../none')], /none: there is no such file/],
      [[tmpdir()], /EISDIR/],
      [[good, other], /several groups/],
      [[good, good], /among the others already/],
    ] as const) {
      const { exit, err } = await here(['import-lava', '--out', out, ...files]);
      expect([files, exit]).toEqual([files, 2]);
      expect(words(err)).toMatch(why);
      expect(existsSync(out)).toBe(false);
    }
    expect((await here(['import-lava', good])).exit).toBe(2);
    expect((await here(['import-lava', '--out', out])).exit).toBe(2);
    expect((await here(['import-lava', '--out', text, good])).exit).not.toBe(0);
  });
});
