/** One case over the last runs: where its measurements lie, and what changed. */
import { scaleLinear } from 'd3-scale';
import { useEffect } from 'preact/hooks';
import type { CaseHistory, CaseRunView, CaseSeriesView } from '../api/types.ts';
import { useAsked } from '../ui/asked.ts';
import { jobLink, plural, ResultBadge, Section, Trouble } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';

const LAST = 40;

export function Case() {
  const id = query.value.get('case') ?? '';
  const name = query.value.get('name') ?? '';
  useEffect(() => {
    document.title = `${id === '' ? 'Results' : id} · Muster`;
  }, [id]);
  const words = new URLSearchParams({ case: id, last: String(LAST), ...(name && { name }) });
  const { answer, trouble } = useAsked<CaseHistory>(
    id === '' ? undefined : `/api/results?${words}`,
  );
  return (
    <>
      <h1>{id === '' ? 'One case over the last runs' : id}</h1>
      {/* What is typed stays when an answer comes; another address has fields of its own. */}
      <form key={`${id} ${name}`} class="case-form" onSubmit={ask}>
        <label>
          Case <input name="case" defaultValue={id} required />
        </label>
        <label>
          Jobs called{' '}
          <input name="name" defaultValue={name} placeholder="any; * is any run of characters" />
        </label>
        <button type="submit">Show</button>
      </form>
      {trouble.value !== '' && <Trouble>{trouble.value}</Trouble>}
      {answer.value?.series.length === 0 && (
        <p class="empty">
          This case came in none of {plural(answer.value.lookedAt.jobs, 'job')} that are over. Names
          of cases stand in the results of a job.
        </p>
      )}
      {answer.value?.series.map((series) => (
        <Series key={`${series.role}${series.index}${series.suite}${series.set}`} series={series} />
      ))}
    </>
  );
}

function ask(event: SubmitEvent): void {
  event.preventDefault();
  const data = new FormData(event.currentTarget as HTMLFormElement);
  setQuery({ case: String(data.get('case')), name: String(data.get('name')) });
}

function Series({ series }: { series: CaseSeriesView }) {
  const { role, index, suite, set, runs, summary, measured, changes } = series;
  const place = `${role}[${index}] · ${suite}${set === undefined ? '' : ` · ${set}`}`;
  return (
    <Section title={place} count={plural(runs.length, 'run')} class="series">
      <p class="series-facts">
        {summary.pass} pass, {summary.fail} fail, {summary.skip} skip, {summary.unknown} unknown
        {measured !== undefined &&
          `; median ${measured.median} ${measured.units ?? ''}, from ${measured.min} to ${measured.max}`}
      </p>
      {measured !== undefined && runs.length > 1 && <Plot series={series} label={place} />}
      <ul class="runs" aria-label="Runs, the newest first">
        {[...runs].reverse().map((run) => (
          <li key={run.job}>
            <a href={jobLink(run.job, `?tab=results&device=${encodeURIComponent(run.device)}`)}>
              {run.job}
            </a>{' '}
            <ResultBadge result={run.result} />{' '}
            {run.measurement && `${run.measurement} ${run.units ?? ''}`}{' '}
            <span class="soft">{run.device}</span>
            {changes.some(({ job }) => job === run.job) && <b class="changed"> changed here</b>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

const WIDTH = 720;
const HEIGHT = 150;
const LEFT = 56;
const EDGE = 12;

/** A dot a run; the band is the spread, the line its median. A run beyond the spread is a square. */
function Plot({ series, label }: { series: CaseSeriesView; label: string }) {
  const { runs, measured } = series;
  if (measured === undefined) return null;
  const values = runs.flatMap(({ value }) => value ?? []);
  const low = Math.min(measured.low, ...values);
  const high = Math.max(measured.high, ...values);
  const y = scaleLinear()
    .domain(low === high ? [low - 1, high + 1] : [low, high])
    .nice()
    .range([HEIGHT - EDGE, EDGE]);
  const x = scaleLinear()
    .domain([0, Math.max(1, runs.length - 1)])
    .range([LEFT + EDGE, WIDTH - EDGE]);
  const isOff = (run: CaseRunView) =>
    run.value !== undefined && (run.value < measured.low || run.value > measured.high);
  return (
    <svg
      class="plot"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="group"
      aria-label={`${label}: ${plural(values.length, 'measurement')}, median ${measured.median} ${measured.units ?? ''}`}
    >
      <rect
        class="spread"
        x={LEFT}
        width={WIDTH - LEFT}
        y={y(measured.high)}
        height={Math.max(1, y(measured.low) - y(measured.high))}
      />
      <line class="median" x1={LEFT} x2={WIDTH} y1={y(measured.median)} y2={y(measured.median)} />
      {y.ticks(4).map((tick) => (
        <text key={tick} x={LEFT - 6} y={y(tick) + 4} text-anchor="end">
          {tick}
        </text>
      ))}
      {runs.map((run, n) => {
        if (run.value === undefined) return null;
        const [left, top] = [x(n), y(run.value)];
        const name = `job ${run.job}, ${run.device}: ${run.measurement} ${run.units ?? ''}`;
        return (
          <a key={run.job} href={jobLink(run.job, '?tab=results')} aria-label={name}>
            <title>{name}</title>
            {isOff(run) ? (
              <rect class="run off" x={left - 5} y={top - 5} width="10" height="10" />
            ) : (
              <circle class="run" cx={left} cy={top} r="4.5" />
            )}
          </a>
        );
      })}
    </svg>
  );
}
