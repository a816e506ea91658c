/**
 * Where a server's time goes. A profile samples the clock, and on a busy machine counts what others took; so its
 * shares are scaled to the CPU time of the thread, which the kernel counts.
 */
import { readFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';

const SAMPLE_US = 250;

/** CPU time in the code of one part alone, without what it called. */
export interface SelfTime {
  part: string;
  us: number;
}

const IDLE = 'idle';
const OUTSIDE: Record<string, string> = {
  '(garbage collector)': 'garbage collection',
  '(program)': 'system calls and the rest of the runtime',
  '(idle)': IDLE,
  '(root)': IDLE,
};
const MICROSECONDS_A_TICK = 10_000;

export class CpuProfile {
  readonly #session = new Session();
  #mainUs = 0;
  #allUs = 0;

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
    await this.#session.post('Profiler.start');
    this.#mainUs = mainThreadUs();
    this.#allUs = processUs();
  }

  async end(): Promise<SelfTime[]> {
    const mainUs = mainThreadUs() - this.#mainUs;
    const othersUs = processUs() - this.#allUs - mainUs;
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    return [
      ...scaled(sampled(profile), mainUs),
      { part: "the log's thread: SQLite, fsync, and the runtime's helpers", us: othersUs },
    ];
  }
}

function processUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** User and system time of the thread that answers the boards, from Linux's own count. */
function mainThreadUs(): number {
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_A_TICK;
}

/** Samples by part, as they were taken. */
function sampled({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const partOf = new Map(nodes.map((node) => [node.id, part(node.callFrame)]));
  const sums = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = partOf.get(id) ?? IDLE;
    if (name !== IDLE) sums.set(name, (sums.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  });
  return sums;
}

function scaled(sums: ReadonlyMap<string, number>, mainUs: number): SelfTime[] {
  const total = [...sums.values()].reduce((sum, us) => sum + us, 0);
  return [...sums]
    .map(([name, us]) => ({ part: name, us: (us / total) * mainUs }))
    .sort((a, b) => b.us - a.us);
}

/** A room of this house, a package, or Node itself. */
function part({ functionName, url }: { functionName: string; url: string }): string {
  const outside = OUTSIDE[functionName];
  if (outside !== undefined) return outside;
  const packages = url.split('/node_modules/');
  if (packages.length > 1) return packages.at(-1)?.split('/')[0] ?? url;
  if (url.startsWith('node:')) return 'Node: HTTP, sockets, timers, promises';
  const room = /\/(machines|engine|api|store|projections|scheduler|bench)\//.exec(url)?.[1];
  return room === undefined ? 'Node: HTTP, sockets, timers, promises' : `${room}/`;
}
