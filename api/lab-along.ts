/** The queue and the boards at every event of a job: the log is read once along it. */
import type { LabRuns } from '../answers/evidence.ts';
import type { LabMoment } from '../answers/views.ts';
import type { JobEvent, RecordedEvent } from '../machines/events.ts';
import { evolveJob, initialJob } from '../machines/job/job.ts';
import { jobOf } from '../machines/names.ts';
import { applyToDirectory } from '../projections/directory.ts';
import { labMoment } from './lab-moment.ts';
import type { LabPast, LabReads } from './lab-past.ts';

/** Events of all streams that are looked at, and how many at a time. */
const LOOKED_AT_MAX = 50_000;
const PAGE_EVENTS = 1_000;

/** As far as one answer looks. @throws ApiProblem `stopping` when the signal aborts first; UnreadableEvent */
export async function labAlong(
  parts: LabReads & { labPast: Pick<LabPast, 'at'> },
  id: number,
  events: readonly RecordedEvent<JobEvent>[],
  signal: AbortSignal,
): Promise<LabRuns> {
  const [first] = events;
  const last = events.at(-1);
  const runs: { from: number; lab: LabMoment }[] = [];
  if (first === undefined || last === undefined) return { runs, until: 0 };
  const directory = await parts.labPast.at(first.position, parts, signal);
  let job = initialJob;
  let hasChanged = true;
  let until = 0;
  let text = '';
  const see = (event: RecordedEvent<JobEvent>) => {
    job = evolveJob(job, event);
    until = event.version;
    if (!hasChanged && job.state !== 'submitted') return;
    hasChanged = false;
    const lab = labMoment(directory, id, job, event.meta.at);
    const is = JSON.stringify(lab);
    if (is !== text) runs.push({ from: event.version, lab });
    text = is;
  };
  see(first);
  let at = first.position;
  for (let looked = 0; at < last.position && looked < LOOKED_AT_MAX; ) {
    const page: RecordedEvent[] = [];
    await parts.history.file(signal, async () => {
      for await (const event of parts.engine.allEvents(at, PAGE_EVENTS)) page.push(event);
    });
    for (const event of page) {
      if (event.position > last.position) break;
      applyToDirectory(directory, event);
      hasChanged ||= changesTheLab(event);
      if (event.stream === first.stream) see(event as RecordedEvent<JobEvent>);
    }
    looked += page.length;
    at = page.at(-1)?.position ?? last.position;
  }
  return { runs, until };
}

/** What boards say in jobs changes nothing of the queue and of who has which board. */
const changesTheLab = ({ stream, type }: RecordedEvent): boolean =>
  jobOf(stream) === undefined || type.startsWith('Job') || type === 'AllocationVoided';
