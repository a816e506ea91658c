/** Archives that are typed at a board: what `cksum` prints, and lines that are lost, cut or doubled on their way. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dialogue } from '../../dispatcher/drivers/dialogue.ts';
import { posixSum, typeArchive } from '../../dispatcher/drivers/typed-archive.ts';

test('a sum is what cksum prints', () => {
  for (const bytes of [0, 1, 255, 256, 1_000, 70_000].map((size) => randomBytes(size)))
    expect(posixSum(bytes)).toBe(execFileSync('cksum', { input: bytes }).toString().trim());
});

test('what is typed arrives whole over a line that loses, cuts and doubles it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-typed-'));
  const console = join(folder, 'console');
  const loop = 'while IFS= read -r line; do eval "$line"; done';
  const board = spawn('sh', ['-c', loop], { stdio: ['pipe', 'pipe', 'ignore'], cwd: folder });
  writeFileSync(console, '');
  board.stdout.pipe(createWriteStream(console, { flags: 'a' }));
  const options = {
    ...{ bytesMax: 1e9, signal: new AbortController().signal },
    isAlive: () => board.exitCode === null,
  };
  const talk = new Dialogue(console, 0, options);
  let typed = 0;
  const send = (line: string) => board.stdin.write(`${line}\n`);
  // Only blocks are hurt: every third is hurt in one of three ways.
  const type = async (line: string) => {
    const hurt = line.startsWith('b=') ? typed++ % 9 : 1;
    const middle = Math.floor(line.length / 2);
    if (hurt === 0) send(`${line.slice(0, middle)}${line.slice(middle + 3)}`);
    else if (hurt === 3) send(line.replace(/^b='(..)/, "b='$1$1"));
    else if (hurt === 6) send(`${line}\n${line}`);
    else send(line);
  };
  const run = async (line: string) => {
    const word = randomBytes(4).toString('hex');
    send(`${line}; echo "<${word} $?>"`);
    return Number((await talk.expect([new RegExp(`<${word} (\\d+)>`)], 10_000))?.match[1]);
  };
  const archive = randomBytes(40_000);
  try {
    const command = await typeArchive({ talk, type, run }, folder, archive);
    expect(execFileSync('sh', ['-c', command]).equals(archive)).toBe(true);
    expect(typed).toBeGreaterThan(Math.ceil(40_000 / 1_800));
  } finally {
    board.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});
