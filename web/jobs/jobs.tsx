/** All jobs, the newest first, by their state. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, toldOf } from '../api/client.ts';
import type { JobPage, JobView } from '../api/types.ts';
import { At, JobState, jobLink, plural, Section, Trouble } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';
import { lasting } from '../ui/time.ts';

const PAGE = 50;
const STATES = [
  ['', 'every state'],
  ['submitted', 'queued'],
  ['allocated', 'running'],
  ['complete', 'complete'],
  ['failed,timedOut,rejected', 'failed, timed out, rejected'],
  ['cancelled', 'cancelled'],
] as const;

export function Jobs() {
  const jobs = useSignal<readonly JobView[]>([]);
  const next = useSignal<number | undefined>(undefined);
  const trouble = useSignal('');
  const isLoaded = useSignal(false);
  const state = query.value.get('state') ?? '';
  const load = async (before?: number) => {
    const filter = state === '' ? '' : `&state=${encodeURIComponent(state)}`;
    const from = before === undefined ? '' : `&before=${before}`;
    try {
      const page = await get<JobPage>(`/api/jobs?limit=${PAGE}${filter}${from}`);
      jobs.value = before === undefined ? page.jobs : [...jobs.value, ...page.jobs];
      next.value = page.next;
      isLoaded.value = true;
      trouble.value = '';
    } catch (error) {
      trouble.value = toldOf(error);
    }
  };
  useEffect(() => {
    document.title = 'Jobs · Muster';
    void load();
  }, [state]);
  return (
    <>
      <h1 class="unseen">Jobs</h1>
      <Section
        title="Jobs"
        aside={
          <select
            aria-label="Jobs in this state"
            value={state}
            onChange={({ currentTarget: { value } }) => setQuery({ state: value })}
          >
            {STATES.map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        }
      >
        {trouble.value !== '' && <Trouble>{trouble.value}</Trouble>}
        {isLoaded.value && jobs.value.length === 0 && (
          <p class="empty">
            No job is like this. <a href="/submit">Submit one</a>
          </p>
        )}
        {jobs.value.length > 0 && <JobTable jobs={jobs.value} />}
        {next.value !== undefined && (
          <button type="button" class="more" onClick={() => void load(next.value)}>
            Older jobs
          </button>
        )}
      </Section>
    </>
  );
}

function JobTable({ jobs }: { jobs: readonly JobView[] }) {
  return (
    <div class="scrolled" role="region" aria-label="Jobs" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>Job</th>
            <th>Name</th>
            <th>State</th>
            <th>Submitted</th>
            <th>Ran</th>
            <th>Members</th>
            <th>Reason</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.id}>
              <td>
                <a href={jobLink(job.id)}>{job.id}</a>
              </td>
              <td class="wide">
                <a href={jobLink(job.id)}>{job.name}</a>
              </td>
              <td>
                <JobState state={job.state} />
              </td>
              <td>
                <At at={job.submittedAt} />
              </td>
              <td>{ranFor(job)}</td>
              <td>{plural(job.members.length, 'board')}</td>
              <td class="note">{job.reason?.split('\n')[0]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ranFor({ allocatedAt, endedAt }: JobView): string {
  if (allocatedAt === undefined || endedAt === undefined) return '';
  return lasting(Date.parse(endedAt) - Date.parse(allocatedAt));
}
