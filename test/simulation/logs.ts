/** The log that the server would have written of a simulated run, event by event. */
import type { AnyEvent, RecordedEvent } from '../../machines/events.ts';
import type { Trace, TraceJob } from '../../simulation/trace.ts';
import { LogStory } from '../../simulation/trace-from-log.ts';
import type { JobRun, Run } from '../../simulation/virtual-lab.ts';

/** The trace of a whole log. */
export function traceOf(events: Iterable<RecordedEvent>): Trace {
  const story = new LogStory();
  for (const event of events) story.take(event);
  return story.trace();
}

interface Due {
  at: number;
  rank: number;
  stream: string;
  event: AnyEvent;
}

export function logOf(trace: Trace, run: Run): RecordedEvent[] {
  const due = [
    ...trace.boards.map(
      ({ name, from, deviceType, tags, worker }): Due => ({
        at: from,
        rank: 0,
        stream: `device-${name}`,
        event: {
          type: 'DeviceRegistered',
          data: { deviceType, tags: [...tags], worker, driver: 'local' },
        },
      }),
    ),
    ...trace.outages.flatMap(({ board, from, until }): Due[] => {
      const stream = `device-${board}`;
      const gone: Due = {
        at: from,
        rank: 1,
        stream,
        event: { type: 'DeviceWentOffline', data: { reason: 'power' } },
      };
      const back: Due = {
        at: until ?? 0,
        rank: 1,
        stream,
        event: { type: 'DeviceCameOnline', data: {} },
      };
      return until === null ? [gone] : [gone, back];
    }),
    ...run.jobs.flatMap(jobEvents),
  ].sort((a, b) => a.at - b.at || a.rank - b.rank);
  const versions = new Map<string, number>();
  return due.map(({ at, stream, event }, index) => {
    const version = (versions.get(stream) ?? 0) + 1;
    versions.set(stream, version);
    const meta = { at, actor: 'engine:test', causationId: 'c', correlationId: stream };
    const id = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    return { ...event, id, stream, version, position: index + 1, meta };
  });
}

function jobEvents(run: JobRun): Due[] {
  const { job, members, startedAt, endedAt, end } = run;
  const stream = `job-${job.id}`;
  const events: Due[] = [
    {
      at: job.submittedAt,
      rank: 2,
      stream,
      event: { type: 'JobSubmitted', data: { definition: definitionOf(job), document: '{}' } },
    },
  ];
  if (startedAt !== null)
    events.push({
      at: startedAt,
      rank: 3,
      stream,
      event: { type: 'JobAllocated', data: { lease: 'l', members } },
    });
  const member = members[0]?.device ?? 'none';
  const ends: Record<string, AnyEvent> = {
    complete: { type: 'JobCompleted', data: {} },
    failed: { type: 'JobFailed', data: { member, reason: 'r' } },
    timedOut: { type: 'JobTimedOut', data: { limit: 'job', reason: 'r' } },
    queueTimedOut: { type: 'JobTimedOut', data: { limit: 'queue', reason: 'r' } },
    withdrawn: { type: 'JobCancelled', data: { reason: 'r' } },
    rejected: { type: 'JobRejected', data: { short: [] } },
  };
  const event = ends[end];
  if (event !== undefined && endedAt !== null) events.push({ at: endedAt, rank: 4, stream, event });
  return events;
}

function definitionOf({ name, priority, timeoutSeconds, queueTimeoutSeconds, roles }: TraceJob) {
  return {
    name,
    form: 'json' as const,
    countsSelf: false,
    priority,
    timeoutSeconds,
    ...(queueTimeoutSeconds !== undefined && { queueTimeoutSeconds }),
    onUnreachable: 'fail' as const,
    unreachableGraceSeconds: 30,
    roles: [...roles],
    actions: [],
  };
}
