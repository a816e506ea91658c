/**
 * Traces made up from a seed: a lab of so many boards, single and wide jobs, bursts, boards that are lost.
 * The same wishes and seed give the same trace.
 */
import type { RoleRequest } from '../machines/definition.ts';
import { type Random, randomOf } from './random.ts';
import { type Outage, sizeOf, type Trace, type TraceBoard, type TraceJob } from './trace.ts';

export interface Wishes {
  boards: number;
  jobs: number;
  /** Of all jobs, how many want several boards. */
  widePercent: number;
  /** How much of the boards' time the jobs want together; above 100 the queue grows without end. */
  loadPercent: number;
  /** How many jobs come at once. */
  burst: number;
  /** How many boards of a hundred are lost in the course of the trace, each for some hours. */
  lostPercent: number;
}

export const WISHES_DEFAULT: Omit<Wishes, 'boards' | 'jobs'> = {
  widePercent: 20,
  loadPercent: 80,
  burst: 5,
  lostPercent: 5,
};
/** Without a wish there are so many jobs for each board. */
export const JOBS_PER_BOARD = 20;

const BOARDS_PER_TYPE = 50;
const TYPES_MAX = 20;
/** Each tag is on so many boards of a type. */
const TAG_PARTS = { wifi: 3, usb3: 5 } as const;
const RUN_SECONDS_MIN = 120;
const RUN_SECONDS_MAX = 3_600;
const GROUP_BOARDS_MAX = 16;
const OUTAGE_HOURS_MAX = 8;
const HOUR_MS = 3_600_000;
const STARTS_AT = Date.UTC(2026, 0, 5);

export function generate(wishes: Wishes, seed: number): Trace {
  const random = randomOf(seed);
  const boards = boardsOf(wishes.boards);
  const byType = new Map<string, TraceBoard[]>();
  for (const board of boards) {
    const ofType = byType.get(board.deviceType) ?? [];
    ofType.push(board);
    byType.set(board.deviceType, ofType);
  }
  const jobs = jobsOf(wishes, byType, random);
  const lastsMs = (jobs.at(-1)?.submittedAt ?? STARTS_AT) - STARTS_AT;
  return {
    boards,
    workers: [],
    jobs,
    outages: outagesOf(wishes, boards, lastsMs, random),
    guessed: 0,
  };
}

function boardsOf(count: number): TraceBoard[] {
  const types = Math.min(TYPES_MAX, Math.max(2, Math.round(count / BOARDS_PER_TYPE)));
  return Array.from({ length: count }, (_, at): TraceBoard => {
    const deviceType = `type${(at % types) + 1}`;
    const number = Math.floor(at / types);
    const tags = Object.entries(TAG_PARTS).flatMap(([tag, part]) =>
      number % part === 0 ? [tag] : [],
    );
    const name = `${deviceType}-${number + 1}`;
    return { name, deviceType, tags, worker: 'lab', from: STARTS_AT, until: null };
  });
}

function jobsOf(
  wishes: Wishes,
  byType: ReadonlyMap<string, readonly TraceBoard[]>,
  random: Random,
): TraceJob[] {
  const drawn = Array.from({ length: wishes.jobs }, () => {
    const isWide = random.fraction() * 100 < wishes.widePercent;
    const roles = isWide ? groupOf(byType, random) : [roleOf('single', 1, byType, random)];
    // Most runs are short: the square of an even draw.
    const spread = RUN_SECONDS_MAX - RUN_SECONDS_MIN;
    const runSeconds = Math.round(RUN_SECONDS_MIN + spread * random.fraction() ** 2);
    return { roles, runSeconds };
  });
  const wanted = drawn.reduce((sum, { roles, runSeconds }) => sum + sizeOf(roles) * runSeconds, 0);
  const spanMs = (wanted * 1000 * 100) / (wishes.loadPercent * wishes.boards);
  const bursts = Math.max(1, Math.ceil(wishes.jobs / wishes.burst));
  const instants = Array.from({ length: bursts }, () =>
    Math.round(STARTS_AT + random.fraction() * spanMs),
  ).sort((a, b) => a - b);
  return drawn.map(
    ({ roles, runSeconds }, at): TraceJob => ({
      id: at + 1,
      name: `job ${at + 1}`,
      submittedAt: instants[Math.floor(at / wishes.burst)] ?? STARTS_AT,
      priority: random.pick([0, 50, 50, 50, 100]),
      roles,
      // People leave room: the timeout is two to four times what the run takes.
      timeoutSeconds: runSeconds * (2 + random.whole(3)),
      runMs: runSeconds * 1000,
      outcome: random.fraction() < 0.9 ? 'complete' : 'failed',
    }),
  );
}

/** Two or three roles, with two boards up to a quarter of a type together. */
function groupOf(
  byType: ReadonlyMap<string, readonly TraceBoard[]>,
  random: Random,
): RoleRequest[] {
  const server = roleOf('server', 1, byType, random);
  const clients = roleOf('client', 1, byType, random);
  const room =
    byType.get(clients.deviceType ?? '')?.filter((board) => hasTags(board, clients)) ?? [];
  const most = Math.min(GROUP_BOARDS_MAX, Math.max(1, Math.floor(room.length / 4)));
  const count = 1 + random.whole(most);
  // The server may be of the clients' type: then one of the boards is its own.
  const isTight = server.deviceType === clients.deviceType && count + 1 > room.length;
  return [server, { ...clients, count: isTight ? Math.max(1, count - 1) : count }];
}

function roleOf(
  role: string,
  count: number,
  byType: ReadonlyMap<string, readonly TraceBoard[]>,
  random: Random,
): RoleRequest {
  const deviceType = random.pick([...byType.keys()]);
  const model = random.pick(byType.get(deviceType) ?? []);
  const tags = random.fraction() < 0.3 ? model.tags.slice(0, 1) : [];
  return { role, count, deviceType, tags: [...tags] };
}

const hasTags = (board: TraceBoard, { tags }: RoleRequest): boolean =>
  tags.every((tag) => board.tags.includes(tag));

function outagesOf(
  { lostPercent }: Wishes,
  boards: readonly TraceBoard[],
  lastsMs: number,
  random: Random,
): Outage[] {
  const lost = boards.filter(() => random.fraction() * 100 < lostPercent);
  return lost.map(({ name }) => {
    const from = STARTS_AT + Math.round(random.fraction() * lastsMs);
    const until = from + Math.round((0.1 + random.fraction() * OUTAGE_HOURS_MAX) * HOUR_MS);
    return { board: name, from, until, kind: 'lost' };
  });
}
