/** The process as the commands see it: streams, environment, colours, Ctrl-C. Tests hand in their own. */
import picocolors from 'picocolors';
import { OutputClosed } from './exit.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** What a page is laid out for where nobody says how wide the terminal is. */
const COLUMNS_DEFAULT = 80;

export interface Io {
  /** Writes to stdout and waits until the reader took it. @throws OutputClosed when there is no reader. */
  out(chunk: string | Uint8Array): Promise<void>;
  /** Writes to stderr; a closed stderr is nobody's problem. */
  err(text: string): void;
  /** All of stdin. */
  stdin(): Promise<Buffer>;
  /**
   * Keys as they are pressed, until the loop is left; `undefined`: nobody presses any here. What a key sends stands for it:
   * `\u001b[C` for the right arrow.
   */
  keys(): AsyncIterable<string> | undefined;
  /** Bytes as they are typed: from a terminal each key at once and none of them ours, from a pipe to its end. */
  typed(): Typed;
  /** Aborted by the first signal that tells this process to end, which is its reason; the second one kills as usual. */
  told(): AbortSignal;
  /** Aborted by the first Ctrl-C. The handler is installed by the first call; a second Ctrl-C kills as usual. */
  interrupt(): AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For stdout and for stderr: each may be a terminal or not. */
  readonly colors: Colors;
  readonly errColors: Colors;
  readonly columns: number;
}

export interface Typed {
  readonly isTerminal: boolean;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Nobody listens any more; the terminal is as it was. Closed already: nothing to do. */
  close(): void;
}

/** The real process. */
export function processIo(): Io {
  const { stdout, stderr, stdin, env } = process;
  stdout.on('error', ignoreClosed);
  stderr.on('error', ignoreClosed);
  let interrupt: AbortController | undefined;
  return {
    env,
    colors: colorsFor(stdout, env),
    errColors: colorsFor(stderr, env),
    columns:
      (stdout.isTTY && stdout.columns) || (stderr.isTTY && stderr.columns) || COLUMNS_DEFAULT,
    out: (chunk) =>
      new Promise((resolve, reject) => {
        stdout.write(chunk, (error) => {
          if (error === undefined || error === null) resolve();
          else reject(isClosed(error) ? new OutputClosed() : error);
        });
      }),
    err: (text) => void stderr.write(text),
    stdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
    typed: () => typedOn(stdin),
    told: () => {
      const controller = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.once(signal, () => controller.abort(signal));
      return controller.signal;
    },
    keys: () => (stdin.isTTY && stdout.isTTY ? pressed(stdin) : undefined),
    interrupt: () => {
      if (interrupt === undefined) {
        const controller = new AbortController();
        process.once('SIGINT', () => controller.abort());
        interrupt = controller;
      }
      return interrupt.signal;
    },
  };
}

function typedOn(stdin: NodeJS.ReadStream): Typed {
  const isTerminal = stdin.isTTY === true;
  if (isTerminal) stdin.setRawMode(true);
  return {
    isTerminal,
    bytes: stdin,
    close: () => {
      if (isTerminal) stdin.setRawMode(false);
      stdin.destroy();
    },
  };
}

/** In raw mode Ctrl-C is a key like any other: whoever reads them ends at it. */
async function* pressed(stdin: NodeJS.ReadStream): AsyncGenerator<string> {
  stdin.setRawMode(true);
  try {
    for await (const bytes of stdin) {
      const keys = String(bytes).match(KEYS) ?? [];
      yield* keys;
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}
/** Several may come at once: an arrow is three characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters
const KEYS = /\u001b\[[0-9;]*[A-Za-z~]|[\s\S]/g;

/** Colours only for a terminal that did not refuse them (https://no-color.org). */
function colorsFor(stream: { isTTY?: boolean }, env: Io['env']): Colors {
  const isWanted = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return picocolors.createColors(isWanted);
}

/** The write that failed reports the error to its own caller. */
function ignoreClosed(error: Error): void {
  if (!isClosed(error)) throw error;
}

function isClosed(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ECONNRESET';
}
