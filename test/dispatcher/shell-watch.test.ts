/** The watch over one action's console, beside a board's shell that is asked whether it is free. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ShellWatch } from '../../dispatcher/shell-watch.ts';

const NONCE = 'd2f933df42ad4c6b';

/** A console on which a shell has ended; `answer`: what the next shell prints when it reads its n-th question. */
function watched(answer: (question: number) => string) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-watch-'));
  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort();
    rmSync(folder, { recursive: true, force: true });
  });
  const console = join(folder, 'console');
  writeFileSync(console, `<LAVA_SIGNAL_STARTRUN 0_t ${NONCE}>\n\n<MUSTER_SHELL_ENDED 137>\n`);
  const questions: string[] = [];
  const watch = new ShellWatch({
    ...{ member: 'panda01', console, bytesMax: 1_000_000, signal: stop.signal },
    plan: { nonce: NONCE, from: 0, suites: [] },
    gone: async () => undefined,
    type: async (line) => {
      questions.push(line);
      appendFileSync(console, answer(questions.length));
    },
    report: async () => {},
    reported: async () => {},
    note: async () => {},
    frame: () => {},
    call: () => {},
  });
  return { watch, questions };
}

test('a shell whose question was lost to a process that was being killed is asked again', async () => {
  const { watch, questions } = watched((question) =>
    question === 1 ? '/bin/sh: 1: cho: not found\n' : `<MUSTER_SHELL_FREE ${NONCE}>\n`,
  );
  await expect(watch.untilEnd()).rejects.toThrow(
    'the shell of the board ended (status 137) before its tests were through',
  );
  expect(questions).toEqual(Array(2).fill(`\necho '<MUSTER_SHELL_FREE '${NONCE}'>'`));
});
