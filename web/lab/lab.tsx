/** The lab: its boards, who waits for them and why, what runs, and how what ran lately ended. */
import { useEffect } from 'preact/hooks';
import type { JobView, QueueEntry } from '../api/types.ts';
import { At, JobState, jobLink, plural, Section, Since, Trouble } from '../ui/parts.tsx';
import { Rows } from '../ui/rows.tsx';
import { scale } from '../ui/scale.ts';
import { lasting, moment } from '../ui/time.ts';
import { Boards } from './boards.tsx';
import {
  devices,
  entryAt,
  isLoaded,
  lately,
  lookAtQueue,
  queue,
  running,
  runningCount,
  trouble,
  watchLab,
} from './lab-state.ts';

const QUEUE_ROW_HEIGHT = 46;

export function Lab() {
  useEffect(watchLab, []);
  useEffect(() => {
    document.title = 'Lab · Muster';
  }, []);
  if (!isLoaded.value)
    return trouble.value === '' ? (
      <p class="loading">Asking the server…</p>
    ) : (
      <Trouble>{trouble.value}</Trouble>
    );
  const isNew = lately.value.length + running.value.length + queue.value.total === 0;
  return (
    <div class="lab">
      <h1 class="unseen">The lab</h1>
      {trouble.value !== '' && <Trouble>{trouble.value}</Trouble>}
      {devices.value.size === 0 ? <NoBoards /> : <Boards />}
      <div class="lab-side">
        {isNew && devices.value.size > 0 && <FirstJob />}
        <Running jobs={running.value} />
        <Queue />
        <Lately jobs={lately.value} />
      </div>
    </div>
  );
}

function NoBoards() {
  return (
    <Section title="Boards" count="0" class="boards">
      <div class="empty">
        <p>This server has no boards yet, so no job can run.</p>
        <p>Describe them in a lab file, and start the server with it:</p>
        <pre>
          {
            'device_types:\n  panda: { driver: local, image: "host:" }\ndevices:\n  panda01: { type: panda }\n  panda02: { type: panda }\n\nmuster serve --lab lab.yaml'
          }
        </pre>
        <p>
          Boards of the driver <code>local</code> need no hardware: each is a namespace of the
          machine.
        </p>
      </div>
    </Section>
  );
}

function FirstJob() {
  return (
    <Section title="Nothing has run yet">
      <div class="empty">
        <p>
          The boards are here. <a href="/submit">Submit a first job</a>: paste its JSON, and see
          what would match before it is sent.
        </p>
      </div>
    </Section>
  );
}

function Running({ jobs }: { jobs: readonly JobView[] }) {
  return (
    <Section
      title="Running"
      count={
        runningCount.value > jobs.length
          ? `${runningCount.value}, the newest ${jobs.length} here`
          : String(jobs.length)
      }
    >
      {jobs.length === 0 ? (
        <p class="empty">No job has boards now.</p>
      ) : (
        <ul class="jobs">
          {jobs.map((job) => (
            <li key={job.id}>
              <JobLine job={job} />
              <span class="job-aside">
                {plural(job.members.length, 'board')} ·{' '}
                <Since at={job.allocatedAt ?? job.submittedAt} />
              </span>
              <span class="job-note">{doingOf(job)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** What the members are about, the same words counted once. */
function doingOf({ members }: JobView): string {
  const counts = new Map<string, number>();
  for (const { doing } of members) counts.set(doing, (counts.get(doing) ?? 0) + 1);
  const said = [...counts].sort(([, a], [, b]) => b - a).slice(0, 2);
  return said.map(([doing, count]) => (count > 1 ? `${count} × ${doing}` : doing)).join('; ');
}

function JobLine({ job }: { job: Pick<JobView, 'id' | 'name' | 'state'> }) {
  return (
    <a class="job-line" href={jobLink(job.id)}>
      <span class="job-id">{job.id}</span> {job.name}
    </a>
  );
}

function Queue() {
  const is = queue.value;
  const { total } = is;
  return (
    <Section title="Queue" count={String(total)}>
      {total === 0 ? (
        <p class="empty">No job waits for boards.</p>
      ) : (
        <Rows
          class="queue"
          count={total}
          rowHeight={QUEUE_ROW_HEIGHT * scale.value}
          label="Queue"
          onSeen={lookAtQueue}
          row={(at) => <QueueRow place={at} entry={entryAt(is, at)} />}
        />
      )}
    </Section>
  );
}

function QueueRow({ place, entry }: { place: number; entry: QueueEntry | undefined }) {
  if (entry === undefined)
    return (
      <div class="queue-row" role="listitem">
        <span class="place">{place + 1}</span> …
      </div>
    );
  const { guaranteedStart } = entry;
  return (
    <div class="queue-row" role="listitem">
      <span class="place">{entry.place}</span>
      <a class="job-line" href={jobLink(entry.job)}>
        <span class="job-id">{entry.job}</span> {entry.name}
      </a>
      <span class="job-aside" title={`priority ${entry.priority}`}>
        p{entry.priority} · <Since at={entry.submittedAt} />
      </span>
      <span class="job-note" title={entry.reason}>
        {guaranteedStart !== null && (
          <span class="starts" title={`at the latest: ${guaranteedStart}`}>
            starts by {moment(Date.parse(guaranteedStart))} ·{' '}
          </span>
        )}
        {entry.reason.replace(/^waits for /, '')}
      </span>
    </div>
  );
}

function Lately({ jobs }: { jobs: readonly JobView[] }) {
  return (
    <Section title="Ended lately" aside={<a href="/jobs">all jobs</a>}>
      {jobs.length === 0 ? (
        <p class="empty">No job has ended yet.</p>
      ) : (
        <ul class="jobs">
          {jobs.map((job) => (
            <li key={job.id}>
              <JobLine job={job} />
              <span class="job-aside">
                <JobState state={job.state} /> {job.endedAt && <At at={job.endedAt} />}
              </span>
              <span class="job-note" title={job.reason}>
                {job.reason?.split('\n')[0] ?? tookOf(job)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function tookOf({ allocatedAt, submittedAt, endedAt, members }: JobView): string {
  if (endedAt === undefined) return '';
  const took = Date.parse(endedAt) - Date.parse(allocatedAt ?? submittedAt);
  return `${plural(members.length, 'board')} for ${lasting(took)}`;
}
