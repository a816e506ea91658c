/**
 * The server's clock never goes back: it begins at the log's last event where the machine's clock is behind that, and
 * goes on evenly whatever the machine's clock does. A person has to know when the two differ.
 */

/** Clocks of several servers, and a restart at once, differ by less. */
export const SAID_FROM_MS = 10_000;
const LOOK_EVERY_MS = 10_000;

export interface Clocks {
  /** The server's own; milliseconds since the epoch. */
  ours(): number;
  /** The machine's. */
  wall(): number;
  say(what: string): void;
}

export interface ClockWatch {
  /** Compares them now; done every ten seconds by itself. */
  look(): void;
  stop(): void;
}

/** Begins when the server's clock has begun: what it begins ahead by is the log's. */
export function watchClock({ ours, wall, say }: Clocks): ClockWatch {
  const aheadNow = () => ours() - wall();
  let ahead = aheadNow();
  if (ahead >= SAID_FROM_MS)
    say(
      `the last event of the log is ${spanOf(ahead)} ahead of this machine's clock: new events are dated from there on, ` +
        'and all times that Muster shows are ahead by as much. Limits of jobs are as long as ever. ' +
        'Set the clock if it is wrong; docs/operations.md (The clock) says what else can be done',
    );
  const look = () => {
    const jumped = ahead - aheadNow();
    if (Math.abs(jumped) < SAID_FROM_MS) return;
    ahead -= jumped;
    const [what, then] =
      jumped > 0
        ? ['forward (or the machine slept)', 'from the next start on events are dated by it']
        : ['back', 'the next start goes on from the last event of the log'];
    say(
      `the machine's clock has jumped ${spanOf(Math.abs(jumped))} ${what}. Muster goes on evenly by its own until it is ` +
        `started again, and moves no limit of a job; ${then}. docs/operations.md (The clock) says what to do`,
    );
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return { look, stop: () => clearInterval(timer) };
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** In the largest unit of which it has two, cut down. */
function spanOf(ms: number): string {
  const [unit, length] = UNITS.find(([, each]) => ms >= 2 * each) ?? ['second', 1_000];
  return `${Math.floor(ms / length)} ${unit}s`;
}
