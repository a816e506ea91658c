/**
 * How fast the scheduler plans a big lab: 10,000 boards and 100,000 waiting jobs, from scratch and after one change.
 * `npm run bench -- scheduler` runs it alone.
 */
import type { RoleRequest } from '../machines/definition.ts';
import { type Lab, plan } from '../scheduler/plan.ts';
import { Planner } from '../scheduler/planner.ts';
import type { Board, QueuedJob } from '../scheduler/types.ts';

const NOW = 1_700_000_000_000;
const TYPES = 20;
const WORKERS = 50;
const JOBS_PER_BOARD = 10;
/** Jobs come from so many job files. */
const JOB_KINDS = 400;
const FULL_RUNS = 7;
const CHANGES = 300;
const PAGE_JOBS = 100;

/** A small generator of its own, so that every run sees the same lab. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** @param busy how many of 100 boards are held. */
function bigLab(size: number, busy: number): Lab {
  const roll = dice(size + busy);
  const workers = Array.from({ length: WORKERS }, (_, at) => ({
    name: `w${at}`,
    // Every fifth worker takes fewer jobs than it has boards.
    ...(at % 5 === 0 && { jobLimit: Math.ceil((size / WORKERS) * 0.7) }),
  }));
  const boards = Array.from({ length: size }, (_, at): Board => {
    const tags = ['usb', 'wifi', 'ssd'].filter(() => roll(10) < 3);
    const held = roll(100) < busy;
    return {
      name: `b${at}`,
      deviceType: `t${roll(TYPES)}`,
      tags,
      worker: `w${roll(WORKERS)}`,
      idleSince: NOW - roll(3_600_000),
      state: held ? 'reserved' : 'idle',
      open: 'jobs',
      ...(held && { heldBy: { job: 1_000_000 + at, until: NOW + 1000 * roll(7200) } }),
    };
  });
  const kinds = Array.from({ length: JOB_KINDS }, () => someRoles(roll));
  const queue = Array.from(
    { length: size * JOBS_PER_BOARD },
    (_, at): QueuedJob => ({
      id: at + 1,
      priority: [0, 50, 50, 50, 100][roll(5)] ?? 50,
      submittedAt: NOW - size * JOBS_PER_BOARD + at,
      timeoutSeconds: [300, 900, 3600, 7200][roll(4)] ?? 3600,
      roles: kinds[roll(JOB_KINDS)] ?? [],
    }),
  );
  return { queue, boards, workers };
}

/** Half of the jobs want one board, the others two to ten of one to three roles. */
function someRoles(roll: (below: number) => number): RoleRequest[] {
  const roles = roll(2) === 0 ? 1 : 1 + roll(3);
  const deviceType = `t${roll(TYPES)}`;
  return Array.from({ length: roles }, (_, at) => ({
    role: `r${at}`,
    count: roles === 1 ? 1 : 1 + roll(4),
    deviceType: roll(3) === 0 ? `t${roll(TYPES)}` : deviceType,
    tags: roll(4) === 0 ? [['usb', 'wifi', 'ssd'][roll(3)] ?? 'usb'] : [],
  }));
}

/** `cpuMs`: of the whole process, so that other work on the machine does not count. */
function timed<T>(work: () => T): { ms: number; cpuMs: number; result: T } {
  const before = process.cpuUsage();
  const from = performance.now();
  const result = work();
  const ms = performance.now() - from;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000, result };
}

const quantile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[
    Math.min(values.length - 1, Math.floor(values.length * part))
  ] ?? Number.NaN;

const median = (values: readonly number[]): number => quantile(values, 0.5);

const ms = (value: number): string => `${value.toFixed(value < 10 ? 3 : 1)} ms`;

interface Figures {
  boards: number;
  full: number;
  /** In a planner that was told of the lab before. */
  loaded: number;
  loadedCpu: number;
  starts: number;
  parse: number;
  change: number;
  changeP99: number;
}

/** A full plan from plain data and in a planner that holds the lab, beside a peer: reading the same lab from JSON. */
function fullPlan(
  size: number,
): Pick<Figures, 'full' | 'loaded' | 'loadedCpu' | 'starts' | 'parse'> {
  const lab = bigLab(size, 50);
  // As it comes out of the log: no two jobs share an object.
  const text = JSON.stringify(lab);
  const read = JSON.parse(text) as Lab;
  const runs = Array.from({ length: FULL_RUNS }, () => timed(() => plan(read, NOW)));
  const parses = Array.from({ length: FULL_RUNS }, () => timed(() => JSON.parse(text)).ms);
  const { planner } = new LiveLab(read);
  const loaded = Array.from({ length: FULL_RUNS }, () => timed(() => planner.plan(NOW)));
  return {
    loaded: median(loaded.map((run) => run.ms)),
    loadedCpu: median(loaded.map((run) => run.cpuMs)),
    full: median(runs.map((run) => run.ms)),
    starts: runs[0]?.result.starts.length ?? 0,
    parse: median(parses),
  };
}

/** Does what the plan says until it says nothing more: the lab as it is between two changes. */
class LiveLab {
  readonly planner = new Planner();
  readonly #boards = new Map<string, Board>();
  readonly #jobs = new Map<number, QueuedJob>();

  constructor({ queue, boards, workers }: Lab) {
    for (const worker of workers) this.planner.setWorker(worker);
    for (const board of boards) this.setBoard(board);
    for (const job of queue) this.setJob(job);
  }

  setBoard(board: Board): void {
    this.#boards.set(board.name, board);
    this.planner.setBoard(board);
  }

  setJob(job: QueuedJob): void {
    this.#jobs.set(job.id, job);
    this.planner.setJob(job);
  }

  cancel(id: number): void {
    this.#jobs.delete(id);
    this.planner.removeJob(id);
  }

  free(name: string, at: number): void {
    const board = this.#boards.get(name);
    if (board === undefined) return;
    const { heldBy: _, ...rest } = board;
    this.setBoard({ ...rest, state: 'idle', idleSince: at });
  }

  apply({ starts }: ReturnType<Planner['plan']>, now: number): number {
    for (const { job, members } of starts) {
      const until = now + (this.#jobs.get(job)?.timeoutSeconds ?? 0) * 1000;
      for (const { device } of members) {
        const board = this.#boards.get(device);
        if (board !== undefined)
          this.setBoard({ ...board, state: 'reserved', heldBy: { job, until } });
      }
      this.cancel(job);
    }
    return starts.length;
  }

  settle(now: number): void {
    while (this.apply(this.planner.plan(now), now) > 0);
  }

  held(roll: (below: number) => number): string {
    for (;;) {
      const name = `b${roll(this.#boards.size)}`;
      if (this.#boards.get(name)?.state === 'reserved') return name;
    }
  }

  waiting(roll: (below: number) => number): number {
    for (;;) {
      const id = 1 + roll(this.#boards.size * JOBS_PER_BOARD);
      if (this.#jobs.has(id)) return id;
    }
  }
}

/** One change and the plan after it; what the plan says is done before the next one, outside the clock. */
function afterOneChange(size: number, say: (line: string) => void): number[] {
  const big = bigLab(size, 50);
  const lab = new LiveLab(big);
  const roll = dice(7);
  let now = NOW;
  lab.settle(now);
  const kinds: Record<string, () => void> = {
    'a board freed': () => lab.free(lab.held(roll), now),
    'a job submitted': () =>
      lab.setJob({
        id: 10_000_000 + now - NOW,
        priority: 50,
        submittedAt: now,
        timeoutSeconds: 900,
        roles: big.queue[roll(big.queue.length)]?.roles ?? [],
      }),
    'a job cancelled': () => lab.cancel(lab.waiting(roll)),
  };
  const all: number[] = [];
  for (const [kind, change] of Object.entries(kinds)) {
    const times: number[] = [];
    let cpu = 0;
    for (let run = 0; run < CHANGES; run++) {
      now += 1;
      const {
        ms: took,
        cpuMs,
        result,
      } = timed(() => {
        change();
        return lab.planner.plan(now);
      });
      times.push(took);
      cpu += cpuMs;
      lab.apply(result, now);
      lab.settle(now);
    }
    all.push(...times);
    say(
      `  ${kind.padEnd(16)} median ${ms(median(times))}, p99 ${ms(quantile(times, 0.99))}, max ${ms(Math.max(...times))}; CPU ${ms(cpu / CHANGES)} on average`,
    );
  }
  return all;
}

/** What it costs to tell why jobs wait, in a lab where everything that can run runs. */
function whyTheyWait(say: (line: string) => void): void {
  const lab = new LiveLab(bigLab(10_000, 50));
  lab.settle(NOW);
  const { planner } = lab;
  const roll = dice(11);
  const told = (what: string, runs: number, work: (run: number) => void): void => {
    const all = Array.from({ length: runs }, (_, run) => timed(() => work(run)));
    const times = all.map((run) => run.ms);
    const cpu = median(all.map((run) => run.cpuMs));
    say(`  ${what}: median ${ms(median(times))}, max ${ms(Math.max(...times))}; CPU ${ms(cpu)}`);
  };
  say(`why jobs wait, of ${planner.queueLength} for 10,000 boards:`);
  told('a page of 100', 200, (run) => planner.waiting(NOW, run * PAGE_JOBS, PAGE_JOBS));
  told('10,000 jobs in such pages', FULL_RUNS, () => {
    for (let page = 0; page < 100; page++) planner.waiting(NOW, page * PAGE_JOBS, PAGE_JOBS);
  });
  told('one job, board by board', 200, () => planner.explain(lab.waiting(roll), NOW));
}

/** The exponent of the growth between the first and the last size. */
const exponent = (first: number, last: number, sizes: number): number =>
  Math.log(last / first) / Math.log(sizes);

export async function schedulerBench(say: (line: string) => void): Promise<void> {
  say(
    `scheduler: ${JOBS_PER_BOARD} jobs a board of ${JOB_KINDS} kinds, half of the boards busy, ${TYPES} types, ${WORKERS} workers, every fifth limited`,
  );
  // So that the smallest lab is not measured in code that is not compiled yet.
  fullPlan(1000);
  afterOneChange(1000, () => undefined);
  const table: Figures[] = [];
  for (const boards of [100, 1000, 10_000]) {
    const full = fullPlan(boards);
    say(
      `${boards} boards, ${boards * JOBS_PER_BOARD} jobs: full plan ${ms(full.loaded)}, CPU ${ms(full.loadedCpu)} (${full.starts} starts), from plain data ${ms(full.full)}, JSON.parse of the same ${ms(full.parse)}, ratio ${(full.full / full.parse).toFixed(2)}; plan after`,
    );
    const changes = afterOneChange(boards, say);
    table.push({
      boards,
      ...full,
      change: median(changes),
      changeP99: quantile(changes, 0.99),
    });
  }
  const [first, last] = [table[0], table.at(-1)];
  if (first !== undefined && last !== undefined)
    say(
      `growth from ${first.boards} to ${last.boards} boards: full plan ~ n^${exponent(first.loaded, last.loaded, last.boards / first.boards).toFixed(2)}, after one change ~ n^${exponent(first.change, last.change, last.boards / first.boards).toFixed(2)}`,
    );
  whyTheyWait(say);
  say(`memory of the process at the end: ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB`);
}
