/** Two runs one above the other, and two boards' events beside one another; where they part first stands on top. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { DiffView, DivergenceView, JobPage, JobView } from '../api/types.ts';
import { Lanes } from '../job/lanes.tsx';
import { OrderButtons } from '../job/slider.tsx';
import { useAsked } from '../ui/asked.ts';
import { At, JobState, jobLink, listed, plural, Section, Trouble } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';
import { Beside } from './beside.tsx';
import { TwoRuns } from './runs.ts';

const LANES_PIXELS_MAX = 300;

export function Compare({ id }: { id: number }) {
  useEffect(() => {
    document.title = `Job ${id} compared · Muster`;
  }, [id]);
  const other = query.value.get('with') ?? '';
  const wanted = /^\d+$/.test(other) ? `?with=${other}` : '';
  const { answer, trouble } = useAsked<DiffView>(`/api/jobs/${id}/diff${wanted}`);
  return (
    <div class="job compare">
      <header class="job-head">
        <h1>
          <a href={jobLink(id)}>Job {id}</a> beside {answer.value === undefined ? 'a good run' : ''}
          {answer.value !== undefined && (
            <a href={jobLink(answer.value.with)}>job {answer.value.with}</a>
          )}
        </h1>
        <Other id={id} chosen={answer.value?.with} />
      </header>
      {trouble.value !== '' && (
        <>
          <Trouble>{trouble.value}</Trouble>
          <Candidates id={id} />
        </>
      )}
      {trouble.value === '' && answer.value === undefined && <p class="loading">Comparing…</p>}
      {answer.value !== undefined && <Two key={answer.value.with} diff={answer.value} />}
    </div>
  );
}

const RUNS_OFFERED = 100;

/** The other runs among the last ones: those of its own name, or all where there is none. */
function useRuns(id: number): JobView[] {
  const { answer } = useAsked<JobPage>(`/api/jobs?limit=${RUNS_OFFERED}`);
  const others = (answer.value?.jobs ?? []).filter(
    (job) => job.id !== id && job.members.length > 0 && job.endedAt !== undefined,
  );
  const name = answer.value?.jobs.find((job) => job.id === id)?.name;
  const alike = others.filter((job) => job.name === name);
  return alike.length > 0 ? alike : others;
}

/** Which run it is compared with: one of the last, or any by its number. */
function Other({ id, chosen }: { id: number; chosen: number | undefined }) {
  const runs = useRuns(id);
  const typed = useSignal('');
  const isListed = runs.some((job) => job.id === chosen);
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.value !== '') setQuery({ with: typed.value, device: undefined });
      }}
    >
      <label>
        with{' '}
        <select
          value={String(chosen ?? '')}
          onChange={({ currentTarget: { value } }) => setQuery({ with: value, device: undefined })}
        >
          {!isListed && (
            <option value={String(chosen ?? '')}>
              {chosen === undefined ? 'another run…' : `job ${chosen}`}
            </option>
          )}
          {runs.map((job) => (
            <option key={job.id} value={String(job.id)}>
              job {job.id}: {job.state}
            </option>
          ))}
        </select>
      </label>
      <input
        type="number"
        min={1}
        aria-label="Number of the job to compare with"
        placeholder="number of a job"
        value={typed.value}
        onInput={({ currentTarget: { value } }) => {
          typed.value = value;
        }}
      />
      <button type="submit">Compare</button>
    </form>
  );
}

/** Where no good run is known, somebody has to say which it is. */
function Candidates({ id }: { id: number }) {
  const runs = useRuns(id);
  const [good, rest] = [
    runs.filter(({ state }) => state === 'complete'),
    runs.filter(({ state }) => state !== 'complete'),
  ];
  return (
    <Section title="Choose the run that went well" count={String(runs.length)}>
      {runs.length === 0 ? (
        <p class="empty">No other run is among the last ones: type its number above.</p>
      ) : (
        <ul class="jobs">
          {[...good, ...rest].map((job) => (
            <li key={job.id}>
              <a class="job-line" href={`/jobs/${id}/compare?with=${job.id}`}>
                <span class="job-id">{job.id}</span> {job.name}
              </a>
              <span class="job-aside">
                <JobState state={job.state} /> <At at={job.submittedAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Two({ diff }: { diff: DiffView }) {
  const runs = useMemo(() => new TwoRuns(diff), [diff]);
  useEffect(() => runs.open(), [runs]);
  const refused = runs.refused.value;
  if (refused !== undefined) return <Trouble>{refused.message}</Trouble>;
  return (
    <>
      <Parting runs={runs} />
      <section class="job-time" aria-label="Both runs">
        <div class="two-head">
          <RunTitle job={diff.with} state={diff.states.good} what="the good run" />
          <OrderButtons
            order={runs.order.value}
            set={(order) => setQuery({ order: order === 'causal' ? undefined : order })}
          />
        </div>
        <Lanes run={runs.good} name={`Job ${diff.with}`} heightMax={LANES_PIXELS_MAX} />
        <div class="two-head">
          <RunTitle job={diff.id} state={diff.states.bad} what="this run" />
        </div>
        <Lanes
          run={runs.bad}
          name={`Job ${diff.id}`}
          heightMax={LANES_PIXELS_MAX}
          hasLens={false}
        />
      </section>
      <div class="job-below">
        <Beside runs={runs} />
        <Rest diff={diff} />
      </div>
    </>
  );
}

function RunTitle({ job, state, what }: { job: number; state: string; what: string }) {
  return (
    <h2>
      <a href={jobLink(job)}>Job {job}</a> <JobState state={state} />{' '}
      <span class="soft">{what}</span>
    </h2>
  );
}

/** Where they part, in a sentence. */
function Parting({ runs }: { runs: TwoRuns }) {
  const { first, equal, alone, failure, beforeFailure, with: good } = runs.diff;
  if (first === undefined)
    return (
      <div class={`ending ${equal ? 'equal' : ''}`} role="status">
        <p>
          <b>
            {equal
              ? 'No board did anything else than its counterpart.'
              : 'Boards that both runs have did the same.'}
          </b>{' '}
          {alone.good.length > 0 && `Only job ${good} had ${listed(alone.good)}. `}
          {alone.bad.length > 0 && `Only this run had ${listed(alone.bad)}.`}
        </p>
      </div>
    );
  return (
    <div class="ending" role="status">
      <p>
        First divergence: <b>{first.says}</b>{' '}
        <button type="button" class="link" onClick={() => show(runs, first)}>
          show it
        </button>
      </p>
      {failure !== undefined && (
        <p class="soft">
          {beforeFailure === true
            ? `The run failed after that, at event ${failure.event}: ${failure.says}`
            : `The runs do not differ before the failure, at event ${failure.event}: ${failure.says}`}
        </p>
      )}
    </div>
  );
}

function show(runs: TwoRuns, is: DivergenceView): void {
  setQuery({ device: is.boards.bad });
  if (is.good !== undefined) runs.good.stand(is.good.event - 1);
  if (is.bad !== undefined) runs.bad.stand(is.bad.event - 1);
}

function Rest({ diff }: { diff: DiffView }) {
  const { changed, timing, others, noise, past } = diff;
  return (
    <Section title="What else differs" class="rest">
      <h3>What was asked for, or ran</h3>
      {changed.length === 0 ? (
        <p class="soft">the same</p>
      ) : (
        <ul>
          {changed.map(({ what, where, good, bad }) => (
            <li key={`${what} ${where}`}>
              {what} of {where}: <code>{good || '(none)'}</code> → <code>{bad || '(none)'}</code>
            </li>
          ))}
        </ul>
      )}
      <h3>What came later than usual</h3>
      {timing.length === 0 ? (
        <p class="soft">
          nothing{past.length > 0 && `, compared with the last ${plural(past.length, 'good run')}`}
        </p>
      ) : (
        <ul>
          {timing.map(({ device, what, event, seconds, usual }) => (
            <li key={`${device} ${event}`}>
              {device} {what}: {seconds.toFixed(1)} s, usually {usual.toFixed(1)} s
            </li>
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <>
          <h3>Other boards part as well</h3>
          <ul>
            {others.map((is) => (
              <li key={is.boards.bad}>
                <button
                  type="button"
                  class="link"
                  onClick={() => setQuery({ device: is.boards.bad })}
                >
                  {is.says}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      {noise.length > 0 && (
        <p class="soft">
          Means nothing by itself: {noise.map(({ what, count }) => `${count} ${what}`).join(', ')}
        </p>
      )}
    </Section>
  );
}
