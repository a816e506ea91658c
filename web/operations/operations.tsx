/** The server and its workers: what they drive, how long jobs and barriers wait, and which checks are due. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, request, toldOf } from '../api/client.ts';
import type { JobPage, WorkerView } from '../api/types.ts';
import { health, isLoaded, queue, trouble, watchLab } from '../lab/lab-state.ts';
import { At, plural, Section, Since, Trouble } from '../ui/parts.tsx';
import { lasting } from '../ui/time.ts';
import { Checks } from './checks.tsx';
import { Latencies } from './latencies.tsx';
import { type Figure, type Metrics, readMetrics } from './metrics.ts';
import { Workers } from './workers.tsx';

const EVERY_MS = 5_000;
const JOBS_MEASURED = 100;

export function Operations() {
  useEffect(watchLab, []);
  const workers = useSignal<readonly WorkerView[]>([]);
  const metrics = useSignal<Metrics>({ figures: [], latencies: [] });
  const waited = useSignal<readonly number[]>([]);
  const wrong = useSignal('');
  useEffect(() => {
    document.title = 'Workers and operations · Muster';
    const stop = new AbortController();
    const ask = async () => {
      try {
        const [all, text, jobs] = await Promise.all([
          get<{ workers: WorkerView[] }>('/api/workers', stop.signal),
          request('/metrics', { signal: stop.signal }).then((answer) => answer.text()),
          get<JobPage>(`/api/jobs?limit=${JOBS_MEASURED}`, stop.signal),
        ]);
        workers.value = all.workers;
        metrics.value = readMetrics(text);
        waited.value = jobs.jobs.flatMap(({ allocatedAt, submittedAt }) =>
          allocatedAt === undefined ? [] : [Date.parse(allocatedAt) - Date.parse(submittedAt)],
        );
        wrong.value = '';
      } catch (error) {
        if (!stop.signal.aborted) wrong.value = toldOf(error);
      }
    };
    void ask();
    const again = setInterval(() => document.visibilityState === 'visible' && void ask(), EVERY_MS);
    return () => {
      stop.abort();
      clearInterval(again);
    };
  }, []);
  const said = wrong.value || trouble.value;
  return (
    <div class="operations">
      <h1 class="unseen">Workers and operations</h1>
      {said !== '' && <Trouble>{said}</Trouble>}
      <Workers workers={workers.value} changed={(now) => (workers.value = now)} />
      <Server figures={metrics.value.figures} />
      <Waits waited={waited.value} />
      <Latencies latencies={metrics.value.latencies} />
      {isLoaded.value && <Checks />}
    </div>
  );
}

function Server({ figures }: { figures: readonly Figure[] }) {
  const is = health.value;
  return (
    <Section title="Server">
      <dl class="facts wide">
        {is !== undefined && (
          <>
            <dt>version</dt>
            <dd>
              {is.version}, up since <At at={is.since} />
            </dd>
            <dt>log</dt>
            <dd>
              {is.store}, <a href="/log">position {is.position}</a>
            </dd>
          </>
        )}
        {figures
          .filter(({ name }) => name !== 'muster_http_requests_total')
          .map((figure) => (
            <>
              <dt key={figure.name} title={figure.name}>
                {figure.help}
              </dt>
              <dd>
                {figure.values
                  .map(({ labels, value }) => `${labels === '' ? '' : `${labels} `}${value}`)
                  .join(', ')}
              </dd>
            </>
          ))}
      </dl>
    </Section>
  );
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

function Waits({ waited }: { waited: readonly number[] }) {
  const sorted = [...waited].sort((a, b) => a - b);
  const { total, oldest } = queue.value;
  return (
    <Section title="Queue">
      <dl class="facts wide">
        <dt>waits now</dt>
        <dd>
          {plural(total, 'job')}
          {oldest !== undefined && (
            <>
              , the longest for <Since at={oldest} />
            </>
          )}
        </dd>
        {sorted.length > 0 && (
          <>
            <dt>time to boards, of the last {plural(sorted.length, 'job')} that had them</dt>
            <dd>
              half within {lasting(quantile(sorted, 0.5))}, nine of ten within{' '}
              {lasting(quantile(sorted, 0.9))}, all within {lasting(sorted.at(-1) ?? 0)}
            </dd>
          </>
        )}
      </dl>
    </Section>
  );
}
