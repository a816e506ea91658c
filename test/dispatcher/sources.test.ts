// What of a suite is kept for whoever asks later: its files by what is in them, its scripts with where their steps stand.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gatherSources } from '../../dispatcher/sources.ts';
import { runScript, stepPlaces } from '../../dispatcher/suite-scripts.ts';
import { parseTestDefinition } from '../../submission/test-definition.ts';
import { SourceList } from '../../wire/sources.ts';
import { SOURCE_LIMITS } from './limits.ts';

let folder: string;
const lay = (path: string, content: string | Buffer) => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-sources-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the sources of a suite', () => {
  it('are its text files, the definition first, without those of git', async () => {
    lay('a.sh', 'echo a\r\n');
    lay('deep/er/b.sh', 'echo b\n');
    lay('tests/sync.yaml', 'run: {}\n');
    lay('.git/HEAD', 'ref: x\n');
    lay('sub/.git', 'gitdir: x\n');
    const { list, texts } = await gatherSources(folder, 'tests/sync.yaml', [], SOURCE_LIMITS);
    expect(SourceList.parse(list)).toEqual(list);
    expect(list.definition).toBe('tests/sync.yaml');
    expect(list.files.map(({ path }) => path)).toEqual([
      'tests/sync.yaml',
      'a.sh',
      'sub/.git',
      'deep/er/b.sh',
    ]);
    expect(texts.get(list.files[1]!.digest)?.toString()).toBe('echo a\r\n');
  });

  it('are named with size and digest where they are not kept: binary, huge, links, too much', async () => {
    lay('blob', Buffer.from([1, 0, 2]));
    lay('huge', 'x'.repeat(300));
    lay('one', 'y'.repeat(60));
    lay('two', 'z'.repeat(60));
    symlinkSync('/etc/passwd', join(folder, 'link'));
    const limits = { sourceFileBytes: 100, sourceBytes: 100 };
    const { list, texts } = await gatherSources(folder, undefined, [], limits);
    expect(list.files.map(({ path, bytes, notKept }) => [path, bytes, notKept])).toEqual([
      ['blob', 3, 'binary'],
      ['huge', 300, 'large'],
      ['link', 11, 'link'],
      ['one', 60, undefined],
      ['two', 60, 'many'],
    ]);
    expect([...texts.values()].map(String)).toEqual(['y'.repeat(60)]);
    for (const { digest } of list.files) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are counted where there are more than a list holds', async () => {
    for (let at = 0; at < 2_010; at += 1) writeFileSync(join(folder, `f${at}`), '');
    const { list } = await gatherSources(folder, undefined, [], SOURCE_LIMITS);
    expect([list.files.length, list.more]).toEqual([2_000, 10]);
  });

  it('say of each step its line in the script and in the definition', () => {
    const text =
      'metadata: {name: t}\nparams: {A: "1", B: "two\\nlines"}\nrun:\n  steps:\n' +
      '    - echo one\n    - |\n      if true; then\n        lava-sync x\n      fi\n\n    - echo three\n';
    const { definition } = parseTestDefinition(text, 't.yaml');
    const script = runScript(definition, [['C', '3']]);
    const places = stepPlaces(script, definition.steps, definition.stepLines);
    const lines = script.split('\n');
    const own = text.split('\n');
    expect(places.map(([line]) => lines[line - 1])).toEqual([
      'echo one',
      'if true; then',
      'echo three',
    ]);
    expect(places.map(([, line]) => own[line - 1]?.trim())).toEqual([
      '- echo one',
      'if true; then',
      '- echo three',
    ]);
  });
});
