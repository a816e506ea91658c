/** The shapes that the doors take and give, beside the views of `projections/`. */
import { z } from 'zod';
import { Health, Meta } from '../machines/events.ts';
import { DeviceName } from '../machines/names.ts';
import { BarrierView, CaseSeriesView, JobView, ResultsView } from '../projections/views.ts';
import { oneLine, REASON_CHARACTERS_MAX } from './parts.ts';
import { ApiProblem } from './problems.ts';

const PLAIN_NUMBER = /^(?:0|[1-9]\d{0,15})$/;

/** A whole number as addresses have it: decimal digits, without a sign and without zeros before it. */
export function plainNumber(text: string): number | undefined {
  const number = PLAIN_NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A number in a path or in a query. */
export const numberInUrl = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(
    (text) => (typeof text === 'string' ? (plainNumber(text) ?? text) : text),
    z
      .int('a whole number is expected: decimal digits and nothing else')
      .min(min, `${min} or more is expected`)
      .max(max, `${max} or less is expected`),
  );

export const JobParams = z.object({ id: numberInUrl(1) });
export const MemberParams = JobParams.extend({ device: DeviceName });
export const DeviceParams = z.object({ name: DeviceName });

const At = z.iso.datetime();

/** Why somebody orders something: it is recorded, on one line. */
export const Reason = z
  .string()
  .max(REASON_CHARACTERS_MAX)
  .transform(oneLine)
  .pipe(z.string().min(1, 'say why'));

/** Something wrong in a document, with its place. */
const DocumentProblem = z.object({
  path: z.string(),
  line: z.number(),
  column: z.number(),
  message: z.string(),
  expected: z.string().optional(),
});

const problem = z.any().meta({ description: 'application/problem+json' });
/** For the documentation: problems are written by `sendProblem` alone. */
export const problemResponses = { '4xx': problem, '5xx': problem };

/** The roles that the boards there are can never satisfy together. */
const Short = z.array(
  z.object({ role: z.string(), wanted: z.number(), found: z.number(), lacking: z.string() }),
);

export const Submitted = z.object({
  id: z.number(),
  state: JobView.shape.state,
  warnings: z.array(DocumentProblem),
  unread: z.string().optional().describe('One line: what lint did not read'),
  short: Short,
});

/** What lint is told of the lab. */
export const LintFacts = z.object({
  boards: z.array(z.object({ name: z.string(), type: z.string(), tags: z.array(z.string()) })),
  times: z
    .array(
      z.object({
        type: z.string(),
        deploySeconds: z.number(),
        bootSeconds: z.number(),
        runs: z.number().describe('How many boards of the type came up in the jobs looked at'),
      }),
    )
    .describe('The median of what boards of a type lately took from allocation to a shell'),
});
export type LintFacts = z.infer<typeof LintFacts>;

export const CheckedJob = z
  .object({
    name: z.string(),
    form: z.enum(['json', 'yaml']),
    timeoutSeconds: z.number(),
    priority: z.number(),
    actions: z.number().describe('How many'),
    roles: z.array(
      JobView.shape.roles.element.extend({
        fit: z.number().describe('Boards of its type or name with its tags; roles may share them'),
        free: z.number().describe('How many of them are free now'),
      }),
    ),
    warnings: z.array(DocumentProblem),
    unread: z.string().optional().describe('One line: what lint did not read'),
    short: Short.describe('Empty: the job would be admitted'),
  })
  .meta({ id: 'CheckedJob' });

export const JobPage = z.object({ jobs: z.array(JobView), next: z.number().optional() });
export const Barriers = z.object({ job: z.number(), barriers: z.array(BarrierView) });
export const Results = ResultsView.extend({
  job: z.number(),
  state: JobView.shape.state,
  reason: JobView.shape.reason.describe('Why it ended, where it did not complete'),
}).meta({ id: 'Results' });

/** One case over the runs of jobs that are over. */
export const CaseHistory = z
  .object({
    case: z.string(),
    name: z.string().optional().describe("The pattern of the jobs' names; absent: any"),
    series: z.array(CaseSeriesView).describe('One for each place in the group, suite and set'),
    without: z
      .array(z.number())
      .describe('Jobs of that name that were looked at and in which the case did not come'),
    lookedAt: z.object({
      jobs: z.number().describe('Of any name'),
      events: z.number(),
    }),
    next: z
      .number()
      .optional()
      .describe('The `before` with which older jobs are looked at; absent: there are none'),
  })
  .meta({ id: 'CaseHistory' });

export const AttachmentList = z.object({
  job: z.number(),
  attachments: z.array(
    z.object({
      /** The board that handed it in. */
      member: z.string(),
      suite: z.string(),
      name: z.string(),
      bytes: z.number(),
      /** SHA-256 of its bytes, lower-case hex. */
      digest: z.string(),
      at: At,
    }),
  ),
});

const Event = z
  .object({
    id: z.string(),
    type: z.string(),
    data: z.record(z.string(), z.unknown()),
    meta: Meta,
    stream: z.string(),
    version: z.number(),
    position: z.number(),
  })
  .meta({ id: 'RecordedEvent' });
export const EventPage = z.object({ events: z.array(Event), next: z.number().optional() });

const HealthCheckView = z.object({
  /** One is due after so many hours, or so many jobs; neither: only while the health is unknown or looping. */
  everyHours: z.number().optional(),
  everyJobs: z.number().optional(),
  /** When the last one that came to a verdict ended. */
  lastAt: At.optional(),
  /** How many jobs have had the board since then. */
  jobsSince: z.number(),
  /** The job that checks it now. */
  job: z.number().optional(),
  /** Why one is due now. */
  due: z.string().optional(),
  /** When the hours alone make the next one due. */
  nextAt: At.optional(),
});

export const DeviceView = z
  .object({
    name: z.string(),
    type: z.string(),
    tags: z.array(z.string()),
    worker: z.string(),
    driver: z.string(),
    state: z.enum(['idle', 'reserved', 'retired']),
    /** No operator took it offline, and its worker is connected. */
    online: z.boolean(),
    offlineReason: z.string().optional(),
    health: Health,
    /** Why the health is what it is. */
    healthReason: z.string().optional(),
    /** How its health is checked; absent: it is not. */
    healthCheck: HealthCheckView.optional(),
    /** The job that has it. */
    job: z.number().optional(),
    idleSince: At,
  })
  .meta({ id: 'DeviceView' });
export type DeviceView = z.infer<typeof DeviceView>;

export const DeviceConsoles = z.object({
  consoles: z.array(
    z.object({
      number: z.number(),
      /** Whom its client said that it is. */
      user: z.string(),
      startedAt: At,
      /** Absent: it is open. */
      endedAt: At.optional(),
      /** Why it ended. */
      reason: z.string().optional(),
      /** How much was printed. */
      bytes: z.number(),
    }),
  ),
});
export type DeviceConsoles = z.infer<typeof DeviceConsoles>;

/** What an operator says of a board's health. */
export const HealthOrder = z
  .strictObject({
    health: Health,
    reason: Reason,
    /** Take the board from the job that has it: its member fails at once. */
    force: z.boolean().default(false),
  })
  .refine(({ health, force }) => !force || health === 'maintenance' || health === 'bad', {
    path: ['force'],
    message: 'only a board that is set to maintenance or bad is taken from its job',
  });

export const WorkerView = z
  .object({
    name: z.string(),
    /** `expected`: it has a token and was never here. `away`: its line broke, and it may come back until `until`. */
    state: z.enum(['expected', 'connected', 'away', 'lost']),
    /** When it connected, went or was lost. */
    since: At,
    until: At.optional(),
    /** Why it went or was lost. */
    reason: z.string().optional(),
    boards: z.array(z.string()),
    /** How many of its boards may be in use at once; absent: all. */
    jobLimit: z.number().optional(),
    /** How many of its boards are in use. */
    used: z.number(),
    /** Why its boards get no new jobs; absent: they do. */
    drained: z.string().optional(),
    /** Of its Muster; absent: it lives in a server. */
    version: z.string().optional(),
    /** Whether a worker on another machine may connect under this name. */
    hasToken: z.boolean(),
  })
  .meta({ id: 'WorkerView' });
export type WorkerView = z.infer<typeof WorkerView>;

export const Workers = z.object({ workers: z.array(WorkerView) });
export const WorkerParams = z.object({ name: DeviceName });
/** The token is said this once: only its digest is kept. */
export const WorkerToken = z.object({ worker: z.string(), token: z.string() });

const QueueEntry = z.object({
  job: z.number(),
  name: z.string(),
  priority: z.number(),
  /** In the queue, from 1. */
  place: z.number(),
  submittedAt: At,
  /** What it waits for, in one sentence. */
  reason: z.string(),
  /** The earliest start that is guaranteed; `null`: none is yet. */
  guaranteedStart: At.nullable(),
});

export const Queue = z.object({
  queue: z.array(QueueEntry),
  /** How many jobs wait in all. */
  total: z.number(),
  /** Since when the one waits that has waited longest; absent: none does. */
  oldest: z.string().optional(),
  /** The `after` of the next page. */
  next: z.number().optional(),
});

/** Why a job waits, board by board. */
export const WhyView = QueueEntry.extend({
  slots: z.array(
    z.object({
      role: z.string(),
      deviceType: z.string().optional(),
      device: z.string().optional(),
      tags: z.array(z.string()),
      wanted: z.number(),
      /** Boards that fit the role and are free for this job now. Roles may share them. */
      free: z.number(),
      /** Slots that no board is there for, while as many slots of the group as possible have one. */
      short: z.number(),
      /** Every board of the role's type or name, by name, and what keeps it; `free`: nothing does. */
      candidates: z.array(
        z.object({
          board: z.string(),
          why: z.string(),
          /** By when at the latest it comes back, where a timeout guarantees that. */
          until: At.optional(),
        }),
      ),
    }),
  ),
}).meta({ id: 'WhyView' });
export type WhyView = z.infer<typeof WhyView>;

export const HealthView = z.object({
  status: z.literal('ok'),
  version: z.string(),
  since: At,
  store: z.string(),
  position: z.number(),
});

export const noSuchJob = (id: number) => new ApiProblem('no-such-job', `there is no job ${id}`);
