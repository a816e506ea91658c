/** Consoles on their way to a server, to one that has nothing, some, or more of them. */
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { consolePath } from '../../dispatcher/console.ts';
import { bytesOf, type Question } from '../../wire/worker-frames.ts';
import { ConsoleFeed } from '../../worker/console-feed.ts';
import { Refusal } from '../../worker/line.ts';

type Part = Extract<Question, { ask: 'console' }>;

/** A server's copy; as it was told, and as it can be made to be. */
class Copy {
  text = '';
  parts: Part[] = [];
  isUp = true;
  refuses = false;
  ends = 0;

  readonly ask = async (ask: string, body: object): Promise<never> => {
    if (this.refuses)
      throw new Refusal({ code: 'no-such-member', reason: 'no member of it', again: false });
    if (ask === 'console') {
      const part = body as Part;
      this.parts.push(part);
      if (part.at <= this.text.length)
        this.text += bytesOf(part.body)
          .toString('latin1')
          .slice(this.text.length - part.at);
    } else this.ends += 1;
    return { size: this.text.length } as never;
  };
}

async function feeding() {
  const dataDir = await mkdtemp(join(tmpdir(), 'muster-feed-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const path = consolePath(dataDir, 1, 'panda01');
  await mkdir(dirname(path), { recursive: true });
  const copy = new Copy();
  const live = { is: true };
  const said: string[] = [];
  const say = (_: object, message: string) => void said.push(message);
  const feed = new ConsoleFeed({
    ...{ dataDir, line: copy as never, isLive: () => live.is },
    log: { info: say, warn: say, error: say },
  });
  onTestFinished(() => feed.stop());
  return { dataDir, path, copy, live, feed, said };
}

const becomes = async (is: () => boolean | Promise<boolean>) => {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 5));
};
const isGone = (path: string) => () =>
  stat(path).then(
    () => false,
    () => true,
  );

it('what is printed comes over as it grows, with when it came, and is removed when its member is over', async () => {
  const { path, copy, live, feed, dataDir } = await feeding();
  await writeFile(path, 'one\n');
  await feed.start();
  await becomes(() => copy.text === 'one\n');
  await appendFile(path, 'two\n');
  await writeFile(`${path}.times`, '4 1000\n8 2000\n12 30');
  await becomes(() => copy.text === 'one\ntwo\n');
  await becomes(() => copy.parts.some(({ times }) => times.length > 0));
  // The line of the index that is being written is not one yet.
  expect(copy.parts.flatMap(({ times }) => times)).toEqual([
    [4, 1000],
    [8, 2000],
  ]);
  expect(copy.ends).toBe(0);
  live.is = false;
  await becomes(async () => (await readdir(join(dataDir, 'jobs', '1'))).length === 0);
});

it('another server is asked how far it is, and gets what it lacks', async () => {
  const { path, copy, feed } = await feeding();
  await writeFile(path, 'a'.repeat(200_000));
  await feed.start();
  await becomes(() => copy.text.length === 200_000);
  copy.text = copy.text.slice(0, 1_000);
  feed.lineIsNew();
  await becomes(() => copy.text.length === 200_000);
});

it('nothing is removed that the server does not have whole', async () => {
  const { path, copy, live, feed } = await feeding();
  await writeFile(path, 'all of it');
  live.is = false;
  const { ask } = copy;
  let lost = 0;
  Object.assign(copy, {
    ask: async (what: string, body: object) => {
      if (what === 'console-end' && lost++ < 2) copy.text = copy.text.slice(0, 3);
      return ask(what, body);
    },
  });
  await feed.start();
  await becomes(isGone(path));
  expect([copy.text, lost]).toEqual(['all of it', 3]);
});

it('while there is no line nothing is asked, and what an earlier life left is sent then', async () => {
  const { path, copy, feed } = await feeding();
  copy.isUp = false;
  await writeFile(path, 'left');
  await feed.start();
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(copy.parts).toEqual([]);
  copy.isUp = true;
  await becomes(() => copy.text === 'left');
});

it('a console that the server does not take stays, and is said once', async () => {
  const { path, copy, feed, said } = await feeding();
  copy.refuses = true;
  await writeFile(path, 'whose?');
  await feed.start();
  await becomes(() => said.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(said).toEqual([expect.stringMatching(/does not take the console of panda01 in job 1/)]);
  expect(await readFile(path, 'utf8')).toBe('whose?');
});

it('where the server has more than a worker whose disk was lost, the worker goes on from there', async () => {
  const { path, copy, feed } = await feeding();
  copy.text = 'of an earlier disk\n';
  await feed.begin(1, 'panda01');
  await appendFile(path, 'new\n');
  await feed.start();
  await becomes(() => copy.text === 'of an earlier disk\nnew\n');
});
