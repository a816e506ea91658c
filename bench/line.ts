/**
 * What a verb costs a board that has its serial line and nothing else: its time on a terminal that takes no more than
 * 115,200 baud in each direction, and what goes over the line. The board's runner, its shell and its terminal are real, the
 * worker's end is the dispatcher's own, and the server keeps its log on the disk.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineCutter } from '../dispatcher/console-lines.ts';
import { SignalReader } from '../dispatcher/signals.ts';
import { Relay } from '../dispatcher/transport/relay.ts';
import { median, ms, quantile, table } from './figures.ts';
import { startMuster } from './muster-process.ts';

const BAUD = 115_200;
/** With a start and a stop bit. */
const BYTES_A_SECOND = BAUD / 10;
const SLICE_BYTES = 32;
const CALLS = 40;
const SESSION = 'bec4bec4';
const BOARD = fileURLToPath(new URL('../../board/', import.meta.url));

const ROWS: readonly [name: string, command: string][] = [
  ['`lava-send id`', 'lava-send id'],
  [
    '`lava-send network ipv4=... mac=... hostname=...`',
    'lava-send network ipv4=10.0.0.17 mac=52:54:00:12:34:56 hostname=panda01',
  ],
  ['`lava-sync id`, alone', 'lava-sync id'],
  ['`lava-wait network`, with its data', 'lava-wait network'],
  ['`lava-test-case c --result pass`', 'lava-test-case c --result pass >/dev/null'],
  ['`lava-send id` with 4,096 bytes', 'lava-send long "k=$long"'],
];

/** One direction of a line: bytes come out no faster than it can carry them. */
class Wire {
  readonly #out: (bytes: Buffer) => void;
  readonly #bytesASecond: number;
  #freeAt = 0;
  bytes = 0;

  constructor(bytesASecond: number, out: (bytes: Buffer) => void) {
    this.#bytesASecond = bytesASecond;
    this.#out = out;
  }

  put(bytes: Buffer): void {
    this.bytes += bytes.length;
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      const now = performance.now();
      this.#freeAt = Math.max(now, this.#freeAt) + (slice.length / this.#bytesASecond) * 1_000;
      setTimeout(() => this.#out(slice), this.#freeAt - now);
    }
  }
}

interface Figures {
  times: number[];
  fromBoard: number;
  toBoard: number;
}

export async function lineTable(newFolder: () => Promise<string>): Promise<string> {
  const slow = await measured(await newFolder(), BYTES_A_SECOND);
  const fast = await measured(await newFolder(), Number.MAX_SAFE_INTEGER);
  return table(
    [
      'verb',
      'bytes from the board',
      'bytes to it',
      'median ms at 115,200 baud',
      'p90 ms',
      'median ms, no limit',
    ],
    ROWS.map(([name], row) => {
      const is = slow[row];
      const each = (bytes = 0) => String(Math.round(bytes / CALLS));
      return [
        name,
        ...[each(is?.fromBoard), each(is?.toBoard)],
        ...[ms(median(is?.times ?? [])), ms(quantile(is?.times ?? [], 0.9))],
        ms(median(fast[row]?.times ?? [])),
      ];
    }),
  );
}

/** One board; each row of calls begins and ends with a mark, and so does each call, on the board's other output. */
async function measured(folder: string, bytesASecond: number): Promise<Figures[]> {
  const muster = await startMuster({ folder, sizes: [1] });
  const token = muster.groups[0]?.[0]?.token ?? '';
  const action = join(folder, 'home', '0');
  await mkdir(join(action, '0_bench', 'tests'), { recursive: true });
  await writeFile(join(action, 'suites'), '0_bench\n');
  await writeFile(join(action, '0_bench', 'run.sh'), script(join(folder, 'marks')));
  const env = {
    ...{ PATH: process.env.PATH, MUSTER_HOME: join(folder, 'home'), MUSTER_TOKEN: token },
    ...{
      MUSTER_LINE: SESSION,
      MUSTER_DEVICE: 'board0000',
      MUSTER_SHELL: '/bin/sh',
      MUSTER_URL: '',
    },
  };
  const run = join(folder, 'board.sh');
  await writeFile(run, `stty -echo -onlcr\nexec sh ${BOARD}bin/lava-test-runner ${action} f00d\n`);
  await chmod(run, 0o755);
  const words = ['--quiet', '--return', '--flush', '--command', `sh ${run}`, '/dev/null'];
  const child = spawn('script', words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const figures = await listen(child, bytesASecond, folder, () => ({
    url: `http://127.0.0.1:${muster.port}`,
    token,
  }));
  await muster.stop();
  return figures;
}

/** Times are the board's own: a mark costs the line nothing. */
const script = (marks: string): string =>
  `set +x\nexec 7>${marks}\nlong=$(head -c 4096 /dev/zero | tr '\\000' x)\n${ROWS.map(
    ([, command], row) =>
      `echo BENCH ${row}\nn=0\nwhile [ $n -lt ${CALLS} ]; do\n${command}\nn=$((n + 1))\ndate +%s%N >&7\ndone\n`,
  ).join('')}echo BENCH end\n`;

async function listen(
  child: ChildProcess,
  bytesASecond: number,
  folder: string,
  access: () => { url: string; token: string },
): Promise<Figures[]> {
  const figures: Figures[] = ROWS.map(() => ({ times: [], fromBoard: 0, toBoard: 0 }));
  const reader = new SignalReader();
  const cutter = new LineCutter(0, () => reader.wantsNext);
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const toBoard = new Wire(bytesASecond, (bytes) => child.stdin?.write(bytes));
  const relay = new Relay({
    ...{ session: SESSION, group: ['board0000'], console: join(folder, 'console'), from: 0, log },
    access: async () => access(),
    type: async (line) => toBoard.put(Buffer.from(`${line}\n`)),
    note: async () => {},
  });
  const fromBoard = new Wire(bytesASecond, (bytes) => {
    for (const line of cutter.push(bytes))
      for (const signal of reader.read(line))
        if (signal.is === 'frame') relay.hear(signal.text, line.at);
  });
  let row = -1;
  let text = '';
  let before = [0, 0];
  child.stdout?.on('data', (bytes: Buffer) => {
    fromBoard.put(bytes);
    text += bytes.toString('latin1');
    for (const [mark] of text.matchAll(/BENCH \w+\r?\n/g)) {
      const is = figures[row];
      if (is !== undefined) {
        is.fromBoard = fromBoard.bytes - (before[0] ?? 0);
        is.toBoard = toBoard.bytes - (before[1] ?? 0);
      }
      before = [fromBoard.bytes, toBoard.bytes];
      row += 1;
      text = text.slice(text.indexOf(mark) + mark.length);
    }
    text = text.slice(-200);
  });
  relay.listen();
  await new Promise((resolve) => child.once('exit', resolve));
  relay.close();
  await readTimes(join(folder, 'marks'), figures);
  return figures;
}

/** The times of a row are those between its marks: its first call, which ends with the first one, is left out. */
async function readTimes(file: string, figures: Figures[]): Promise<void> {
  const marks = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((text) => Number(BigInt(text) / 1_000n) / 1_000);
  for (const [row, is] of figures.entries())
    for (let call = 1; call < CALLS; call += 1)
      is.times.push((marks[row * CALLS + call] ?? 0) - (marks[row * CALLS + call - 1] ?? 0));
}
