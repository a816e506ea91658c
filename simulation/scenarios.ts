/** Random runs on a lab of the user's: who submits what when, how long it runs, which boards are lost. */
import fc from 'fast-check';
import type { QueuedJob } from '../scheduler/types.ts';
import { fillingOf } from './filling.ts';
import type { Random } from './random.ts';
import type { Outage, Trace, TraceBoard, TraceJob } from './trace.ts';

/** A job as it would be submitted, again and again. */
export interface JobModel {
  name: string;
  priority: number;
  timeoutSeconds: number;
  roles: QueuedJob['roles'];
}

const ARRIVALS_MAX = 12;
const LOSSES_MAX = 2;
const SPARE_BOARDS_MAX = 4;
/** Times are parts of the longest timeout of the models: hundredths. */
const PARTS = 100;

/**
 * Traces of up to ARRIVALS_MAX jobs on a part of the lab: boards that can fill each job that is in it, and a few
 * more. A whole lab of hundreds of boards would never be short of any.
 */
export function scenarioOf(
  boards: readonly TraceBoard[],
  jobLimit: number | undefined,
  models: readonly JobModel[],
): fc.Arbitrary<Trace> {
  const longestMs = Math.max(...models.map(({ timeoutSeconds }) => timeoutSeconds * 1000));
  const part = longestMs / PARTS;
  const fillings = models.map(({ roles }) => fillingOf(roles, boards) ?? []);
  const arrival = fc.record({
    model: fc.nat(models.length - 1),
    afterParts: fc.oneof(fc.constant(0), fc.nat(PARTS)),
    /** Of its timeout; all of it: the timeout ends it. */
    runPercent: fc.integer({ min: 1, max: 100 }),
    priority: fc.option(fc.constantFrom(0, 50, 100), { nil: undefined }),
  });
  const loss = fc.record({
    board: fc.nat(),
    fromParts: fc.nat(3 * PARTS),
    lastsParts: fc.integer({ min: 1, max: PARTS }),
  });
  const drawn = fc.record({
    arrivals: fc.array(arrival, { minLength: 1, maxLength: ARRIVALS_MAX }),
    spares: fc.array(fc.nat(boards.length - 1), { maxLength: SPARE_BOARDS_MAX }),
    losses: fc.array(loss, { maxLength: LOSSES_MAX }),
  });
  return drawn.map(({ arrivals, spares, losses }) => {
    const wanted = new Set(
      arrivals.flatMap(({ model }) => fillings[model]?.map(({ device }) => device) ?? []),
    );
    for (const spare of spares) wanted.add(boards[spare]?.name ?? '');
    const here = boards.filter(({ name }) => wanted.has(name));
    let now = 0;
    const jobs = arrivals.flatMap((arrived, at): TraceJob[] => {
      const model = models[arrived.model];
      if (model === undefined) return [];
      now += Math.round(arrived.afterParts * part);
      const { name, roles, timeoutSeconds } = model;
      const priority = arrived.priority ?? model.priority;
      const runMs = timeoutSeconds * 10 * arrived.runPercent;
      const id = at + 1;
      const submittedAt = now;
      return [
        { id, name, submittedAt, priority, roles, timeoutSeconds, runMs, outcome: 'complete' },
      ];
    });
    const outages = losses.flatMap(({ board, fromParts, lastsParts }): Outage[] => {
      const lost = here[board % Math.max(1, here.length)];
      if (lost === undefined) return [];
      const from = Math.round(fromParts * part);
      return [
        { board: lost.name, from, until: from + Math.round(lastsParts * part), kind: 'lost' },
      ];
    });
    const workers = [...new Set(here.map(({ worker }) => worker))].map((name) =>
      jobLimit === undefined ? { name } : { name, jobLimit },
    );
    return { boards: here, workers, jobs, outages, guessed: 0 };
  });
}

const MODELS_MADE = 30;
const MODEL_TIMEOUTS_SECONDS = [600, 1_800, 3_600];

/** Jobs that some boards of the lab can fill, for whoever has no jobs at hand. */
export function madeUpModels(boards: readonly TraceBoard[], random: Random): JobModel[] {
  return Array.from({ length: MODELS_MADE }, (_, at) => {
    const group = random.shuffled(boards).slice(0, 1 + random.whole(Math.min(4, boards.length)));
    const roles = group.map(({ name, deviceType, tags }, place) => {
      const role = `role${place + 1}`;
      if (random.fraction() < 0.1) return { role, count: 1, device: name, tags: [] };
      const wanted = tags.filter(() => random.fraction() < 0.5);
      return { role, count: 1, deviceType, tags: wanted };
    });
    return {
      name: `made-up job ${at + 1}`,
      priority: 50,
      timeoutSeconds: random.pick(MODEL_TIMEOUTS_SECONDS),
      roles,
    };
  });
}
