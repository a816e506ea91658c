/** The shapes that the doors take and give, beside the views of `projections/`. */
import { z } from 'zod';
import { Health, Meta } from '../machines/events.ts';
import { DeviceName } from '../machines/names.ts';
import { BarrierView, CaseView, JobView } from '../projections/views.ts';
import { ApiProblem } from './problems.ts';

export const JobParams = z.object({ id: z.coerce.number().int().positive() });
export const MemberParams = JobParams.extend({ device: DeviceName });
export const DeviceParams = z.object({ name: DeviceName });

const At = z.iso.datetime();

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

export const Submitted = z.object({
  id: z.number(),
  state: JobView.shape.state,
  warnings: z.array(DocumentProblem),
  /** The roles that the boards there are can never satisfy together. */
  short: z.array(
    z.object({ role: z.string(), wanted: z.number(), found: z.number(), lacking: z.string() }),
  ),
});

export const JobPage = z.object({ jobs: z.array(JobView), next: z.number().optional() });
export const Barriers = z.object({ job: z.number(), barriers: z.array(BarrierView) });
export const Results = z.object({
  job: z.number(),
  state: JobView.shape.state,
  cases: z.array(CaseView),
  summary: z.object({
    pass: z.number(),
    fail: z.number(),
    skip: z.number(),
    unknown: z.number(),
  }),
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
    /** The job that has it. */
    job: z.number().optional(),
    idleSince: At,
  })
  .meta({ id: 'DeviceView' });
export type DeviceView = z.infer<typeof DeviceView>;

export const Queue = z.object({
  queue: z.array(
    z.object({
      job: z.number(),
      name: z.string(),
      priority: z.number(),
      place: z.number(),
      submittedAt: At,
      reason: z.string(),
      slots: z.array(
        z.object({
          role: z.string(),
          wanted: z.number(),
          free: z.number(),
          candidates: z.array(z.object({ board: z.string(), why: z.string() })),
        }),
      ),
    }),
  ),
});

export const HealthView = z.object({
  status: z.literal('ok'),
  version: z.string(),
  since: At,
  store: z.string(),
  position: z.number(),
});

export const noSuchJob = (id: number) => new ApiProblem('no-such-job', `there is no job ${id}`);
