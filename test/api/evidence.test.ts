import { appendFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../api/evidence.ts';
import { History } from '../../api/history/history.ts';
import { LabPast } from '../../api/lab-past.ts';
import type { KeptFiles } from '../../api/parts.ts';
import { PastRuns } from '../../api/past-runs.ts';
import type { MemberCommand } from '../../machines/commands.ts';
import type { SourceList } from '../../wire/sources.ts';
import { doors, pair, say } from './bench.ts';

const always = new AbortController().signal;

const kept = async (files: KeptFiles, text: string) => {
  const made = await files.put(
    (async function* () {
      yield Buffer.from(text);
    })(),
    1e6,
  );
  if (made === 'too-large') throw new Error(made);
  return made;
};

const pastOf = ({ engine }: Pick<Awaited<ReturnType<typeof doors>>, 'engine'>) => {
  const history = new History(engine);
  return { history, past: new PastRuns({ engine, history }), labPast: new LabPast() };
};

/** A suite of a member, with its sources kept beside the log. */
async function suiteWith(
  lab: Awaited<ReturnType<typeof doors>>,
  at: { job: number; device: string },
  sources: string,
) {
  const suite: MemberCommand = {
    type: 'PrepareSuite',
    member: at.device,
    action: 0,
    suite: '0_smoke',
    source: { from: 'commands' },
    parameters: [],
    sources,
  };
  await lab.engine.member(at.job, suite, {
    actor: 'worker:w',
    key: `suite ${at.device} ${sources}`,
  });
}

describe('what the answers are made from, on a server', () => {
  it('are all events of the job, with what ran by its digests', async () => {
    const lab = await doors();
    const { job, server, client } = await pair(lab.engine);
    const script = await kept(lab.attachments, 'set -x\nlava-sync ready\n');
    const empty = await kept(lab.attachments, '');
    const list: SourceList = {
      files: [
        { path: 'lib/empty.sh', ...empty },
        { path: 'image.bin', bytes: 3, digest: '0'.repeat(64), notKept: 'binary' },
      ],
      scripts: [{ name: 'run.sh', ...script, steps: [[2, 7]] }],
    };
    const { digest } = await kept(lab.attachments, JSON.stringify(list));
    await suiteWith(lab, { job, device: server }, digest);
    await suiteWith(lab, { job, device: client }, '1'.repeat(64));
    await say(lab.app, { job, device: server }, 'send', 'ready');
    const parts = { ...lab, ...pastOf(lab) };
    const evidence = await evidenceOf(parts, job, always);
    expect(evidence.events.map(({ version }) => version)).toEqual(
      evidence.events.map((_, at) => at + 1),
    );
    expect(evidence.events.at(-1)).toMatchObject({ type: 'MessageSent', stream: `job-${job}` });
    const [ran, gone] = evidence.sources;
    expect(ran).toMatchObject({ member: server, suite: '0_smoke', list });
    expect(ran?.text(script.digest)).toBe('set -x\nlava-sync ready\n');
    expect(ran?.text(empty.digest)).toBe('');
    expect(ran?.text('0'.repeat(64))).toBeUndefined();
    expect(gone).toMatchObject({ member: client, list: undefined });
  });

  it('says that sources are missing where what was kept is gone, damaged or no list', async () => {
    const lab = await doors();
    const { job, server } = await pair(lab.engine);
    const script = await kept(lab.attachments, 'lava-self\n');
    const list = { files: [], scripts: [{ name: 'run.sh', ...script, steps: [] }] };
    const { digest } = await kept(lab.attachments, JSON.stringify(list));
    const other = await kept(lab.attachments, '{"no":"list"}');
    for (const each of [digest, other.digest]) await suiteWith(lab, { job, device: server }, each);
    writeFileSync(`${lab.folder}/objects/${script.digest.slice(0, 2)}/${script.digest}`, 'x');
    const evidence = await evidenceOf({ ...lab, ...pastOf(lab) }, job, always);
    expect(evidence.sources[0]?.list).toEqual(list);
    expect(evidence.sources[0]?.text(script.digest)).toBeUndefined();
    expect(evidence.sources[1]?.list).toBeUndefined();
  });

  it('reads a console by offsets, with its times where it has an index', async () => {
    const lab = await doors();
    const { job, server, client } = await pair(lab.engine);
    const file = lab.consoleFile(job, server);
    writeFileSync(file, 'booting\nlogin:\n');
    writeFileSync(`${file}.times`, '8 5000\n15 6000\n');
    const parts = { ...lab, ...pastOf(lab) };
    const evidence = await evidenceOf(parts, job, always, { sources: false });
    const console = evidence.console(server);
    appendFileSync(file, 'more\n');
    expect(console.bytes).toBe(15);
    expect((await console.read(8, 999)).toString()).toBe('login:\n');
    expect(await console.read(20, 30)).toHaveLength(0);
    expect([await console.timeAt(9), await console.offsetAt(5500)]).toEqual([6000, 8]);
    const silent = evidence.console(client);
    expect([silent.bytes, await silent.timeAt(0), await silent.offsetAt(9)]).toEqual([
      0,
      undefined,
      undefined,
    ]);
    expect(await silent.read(0, 10)).toHaveLength(0);
  });

  it('is refused for a job that there is not', async () => {
    const lab = await doors();
    const parts = { ...lab, ...pastOf(lab) };
    await expect(evidenceOf(parts, 99, always)).rejects.toThrow('there is no job 99');
  });
});
