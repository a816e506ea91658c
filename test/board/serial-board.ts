/**
 * A board of the tests that has its console and nothing else: the runner of its tests under a shell, on pipes that damage
 * what goes over them, with the worker's own relay at the other end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { LineCutter } from '../../dispatcher/console-lines.ts';
import { SignalReader } from '../../dispatcher/signals.ts';
import { Relay } from '../../dispatcher/transport/relay.ts';
import { damaged, randomOf } from '../dispatcher/line-model.ts';
import { Board, type Pair } from './shells.ts';

const TOOLS = ['mkfifo', 'base64', 'find', 'head', 'seq', 'grep', 'sort', 'timeout'];
const log = { info: () => {}, warn: () => {}, error: () => {} };

export interface LineOptions {
  /** One in `1 / rate` lines is damaged, in both directions. */
  rate?: number;
  seed?: number;
  /** Programs that the board has besides. */
  more?: readonly string[];
  /** What is typed and printed on a line that says everything twice. */
  isEchoing?: boolean;
  /** The words that start a program, so that it starts elsewhere: in a network of its own. */
  enter?: (words: readonly string[]) => string[];
}

export class SerialBoard {
  readonly board: Board;
  readonly relay: Relay;
  readonly #random: () => number;
  readonly #rate: number;
  readonly #reader = new SignalReader();
  readonly #cutter = new LineCutter(0, () => this.#reader.wantsNext);
  readonly #isEchoing: boolean;
  readonly #enter: (words: readonly string[]) => readonly string[];
  #child: ChildProcess | undefined;
  #open = '';
  printed = '';
  typedBytes = 0;
  /** Frames, of both directions, that did not come as they were. */
  damagedCount = 0;
  /** The worker hears and types nothing. */
  isCut = false;

  constructor(pair: Pair, url: string, options: LineOptions = {}) {
    const { rate = 0, seed = 1, more = [], isEchoing = false, enter } = options;
    this.board = new Board(pair, '', [...TOOLS, ...more]);
    this.board.env.MUSTER_LINE = 'ab12cd34';
    this.#random = randomOf(seed);
    this.#rate = rate;
    this.#isEchoing = isEchoing;
    this.#enter = enter ?? ((words) => words);
    this.relay = new Relay({
      ...{ session: 'ab12cd34', group: ['panda01'], from: 0, log },
      console: path.join(this.board.folder, 'console'),
      access: async () => ({ url, token: this.board.env.MUSTER_TOKEN ?? '' }),
      type: async (line) => this.type(`${line}\n`),
      note: async () => {},
    });
  }

  /** Runs one suite with this script; resolves with what was printed when the runner has ended. */
  async run(script: string): Promise<string> {
    const folder = path.join(
      this.board.folder,
      `action-${fs.readdirSync(this.board.folder).length}`,
    );
    fs.mkdirSync(path.join(folder, '0_suite', 'tests'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'suites'), '0_suite\n');
    fs.writeFileSync(path.join(folder, '0_suite', 'run.sh'), script);
    const runner = [this.board.verb('lava-test-runner'), folder, 'f00d'];
    const words = this.#enter([...this.board.pair.shell, ...runner]);
    const { MUSTER_URL = '', ...env } = this.board.env;
    const child = spawn(words[0] ?? '', words.slice(1), {
      ...{ env: { ...env, MUSTER_URL, MUSTER_SHELL: '/bin/sh' }, stdio: 'pipe', detached: true },
    });
    this.#child = child;
    this.relay.listen();
    child.stdout.on('data', (chunk: Buffer) => this.#print(chunk.toString('latin1')));
    child.stderr.on('data', (chunk: Buffer) => this.#print(chunk.toString('latin1')));
    child.stdin.on('error', () => {});
    await new Promise((resolve) => child.once('exit', resolve));
    this.relay.rest();
    return this.printed;
  }

  type(line: string): void {
    this.typedBytes += line.length;
    if (this.isCut) return;
    damaged(this.#random, this.#rate, line, (text, lateMs) => {
      if (text !== line || lateMs > 0) this.damagedCount += 1;
      setTimeout(() => this.#child?.stdin?.write(text, 'latin1'), lateMs);
      if (this.#isEchoing) this.#print(`${text}${text}`);
    });
  }

  /** A line at a time is damaged; what has no end yet waits for it. */
  #print(text: string): void {
    this.printed += text;
    const lines = `${this.#open}${text}`.split('\n');
    this.#open = lines.pop() ?? '';
    for (const line of lines)
      damaged(this.#random, this.#rate, `${line}\n`, (what, lateMs) => {
        const pass = () => this.hear(this.#isEchoing ? `${what}${what}` : what);
        if (lateMs === 0) pass();
        else setTimeout(pass, lateMs);
      });
  }

  /** Bytes that come from the board, or look so. */
  hear(text: string): void {
    if (this.isCut) return;
    for (const line of this.#cutter.push(Buffer.from(text, 'latin1')))
      for (const signal of this.#reader.read(line)) {
        if (signal.is === 'frame') this.relay.hear(signal.text, line.at);
        if (signal.is === 'call') void this.relay.callUpstream(signal.call, `${line.at}.0`);
      }
  }

  remove(): void {
    if (this.#child?.pid !== undefined)
      try {
        process.kill(-this.#child.pid, 'SIGKILL');
      } catch {
        // Nothing of it is left.
      }
    this.relay.close();
    this.board.remove();
  }
}
