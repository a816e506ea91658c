/** `muster replay --step` on a real terminal, whose keys are what a terminal sends. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { bundleOf } from '../../api/bundle.ts';
import { evidenceOf } from '../answers/evidence.ts';
import { Lab } from '../machines/lab.ts';

const hasScript = spawnSync('script', ['--version']).status === 0;
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A bundle of a job in which two boards have met. */
async function bundle(): Promise<{ file: string; events: number }> {
  const lab = new Lab('a:r b:r');
  lab.send('a', 'up', 'ip=1');
  lab.wait('b', 'up');
  for (const member of ['a', 'b']) lab.sync(member, 'go');
  const folder = mkdtempSync(join(tmpdir(), 'muster-step-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'job.tar.gz');
  writeFileSync(file, await buffer(bundleOf(evidenceOf(lab), { version: '1.2.3', now: 0 })));
  return { file, events: lab.events.length };
}

/** On a terminal of its own: what is seen, and keys; the terminal's settings are told when it is over. */
function onTerminal(command: string) {
  const shell = `stty rows 24 cols 80; ${command}; echo "exit $?"; stty -a`;
  const child = spawn('script', ['-qfec', shell, '/dev/null'], { cwd: repository });
  onTestFinished(() => void child.kill());
  let seen = '';
  child.setMaxListeners(0);
  const changed = new Set<() => void>();
  child.stdout.on('data', (chunk) => {
    seen += chunk;
    for (const look of changed) look();
  });
  const shows = (wanted: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (!wanted.test(seen)) return;
        changed.delete(look);
        resolve(seen);
      };
      changed.add(look);
      child.once('exit', () => reject(new Error(`${wanted} was never seen:\n${seen}`)));
      look();
    });
  return {
    shows,
    /** Presses keys; what was seen before is forgotten. */
    press(keys: string) {
      seen = '';
      child.stdin.write(keys);
    },
  };
}

test.skipIf(!hasScript)(
  'muster replay --step goes by the keys of a terminal, several at once too, and leaves it as it was',
  async () => {
    const { file, events } = await bundle();
    const terminal = onTerminal(
      `node --import tsx cli/main.ts replay --bundle ${file} --step --at 5`,
    );
    const at = (event: number) =>
      terminal.shows(new RegExp(`event ${event} of ${events} .*\\r\\n(?: .*\\r\\n)*n p: `));
    await at(5);
    for (const [keys, event] of [
      ['n', 6],
      ['\u001b[C', 7],
      ['\u001b[D\u001b[D\u001b[D', 4],
      ['p', 3],
      ['G', events],
      ['\u001b[A', events - 10],
      ['\u001b[B', events],
      ['nonsense', events],
      ['g', 1],
      ['pn', 2],
    ] as const) {
      terminal.press(keys);
      await at(event);
    }
    terminal.press('\u0003');
    const after = await terminal.shows(/exit \d+[\s\S]* echo [\s\S]*\n/);
    expect(after).toContain('exit 0');
    // Raw mode is over: what is typed is seen, and Ctrl-C ends programs again.
    expect(after).toMatch(/\bicanon\b[\s\S]*\becho\b/);
    expect(after).not.toMatch(/-icanon|-isig| -echo /);
  },
  60_000,
);

test.skipIf(!hasScript)(
  'muster replay --step of a bundle that is none leaves the terminal as it was',
  async () => {
    const terminal = onTerminal('node --import tsx cli/main.ts replay --bundle /dev/null --step');
    const after = await terminal.shows(/exit \d+[\s\S]* echo [\s\S]*\n/);
    expect(after).toContain('exit 2');
    expect(after).not.toMatch(/-icanon|-isig/);
  },
  60_000,
);
