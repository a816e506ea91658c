/** One job: its lanes, where the page stands in it, and what was said, waited for, measured and printed. */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { send, toldOf } from '../api/client.ts';
import { Results } from '../results/results.tsx';
import { At, Badge, JobState, plural, Since, Trouble } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';
import { clock, lasting } from '../ui/time.ts';
import { jobStateAt } from './at.ts';
import { Combined } from './combined.tsx';
import { Console } from './console.tsx';
import { Explanation } from './explanation.tsx';
import type { JobFold } from './fold.ts';
import { JobPage } from './job-state.ts';
import { Lanes } from './lanes.tsx';
import { Barriers, Events, Messages, Standing } from './panels.tsx';
import { Scripts } from './scripts.tsx';
import { Slider } from './slider.tsx';
import { Sources } from './sources.tsx';
import { Waiting } from './waiting.tsx';
import { WhatIf } from './what-if.tsx';

export function Job({ id }: { id: number }) {
  const page = useMemo(() => new JobPage(id), [id]);
  useEffect(() => page.open(), [page]);
  useEffect(() => {
    document.title = `Job ${id} · Muster`;
  }, [id]);
  useSignalEffect(() => {
    void page.count.value;
    const goesOn = page.isCaughtUp.value && !page.isEnded.value && page.fold.ended === undefined;
    page.lens.now.value = goesOn ? clock.value : undefined;
  });
  const hasEvents = useComputed(() => page.count.value > 0);
  const refused = page.refused.value;
  if (refused !== undefined)
    return (
      <>
        <h1>Job {id}</h1>
        <Trouble>
          {refused.message}. <a href="/jobs">All jobs</a>
        </Trouble>
      </>
    );
  if (!hasEvents.value) return <p class="loading">Reading the events of job {id}…</p>;
  return (
    <div class="job">
      <Head page={page} />
      <Ending page={page} />
      {isWaiting(page) ? (
        <Waiting id={id} count={page.count.value} />
      ) : (
        <div class="job-time">
          <Lanes run={page} />
          <Slider page={page} />
          <WhatIf page={page} />
        </div>
      )}
      <div class="job-below">
        <Tabs page={page} />
        <div class="job-side">
          <Standing page={page} />
          <Scripts page={page} />
        </div>
      </div>
    </div>
  );
}

/** It has no boards, and nothing says that it never will. */
const isWaiting = ({ isCaughtUp, count, fold }: JobPage): boolean =>
  isCaughtUp.value && count.value > 0 && fold.lanes.length === 0 && fold.ended === undefined;

const isPast = (page: JobPage): boolean => page.at.value < page.count.value - 1;

function Head({ page }: { page: JobPage }) {
  const { fold } = page;
  const state = jobStateAt(fold, page.at.value);
  const submitted = fold.times[0] ?? 0;
  return (
    <header class="job-head">
      <h1>
        <span class="job-id">Job {page.id}</span> {fold.name}
      </h1>
      <p class="job-facts">
        {page.isCaughtUp.value || isPast(page) ? (
          <JobState state={state} />
        ) : (
          <Badge tone="quiet">reading…</Badge>
        )}
        {isPast(page) && <span class="then">at event {page.at.value + 1}</span>}
        <span>
          submitted <At at={submitted} />
        </span>
        <Timing fold={fold} count={page.count.value} />
        <Size fold={fold} count={page.count.value} />
        <span>priority {fold.priority}</span>
        {fold.ended !== undefined && fold.lanes.length > 0 && (
          <a href={`/jobs/${page.id}/compare`}>compare with another run</a>
        )}
        <Cancel page={page} />
      </p>
    </header>
  );
}

/** `count`: of the events that are folded. */
function Size({ fold }: { fold: JobFold; count: number }) {
  const [first] = fold.events;
  if (fold.lanes.length > 0 || first?.type !== 'JobSubmitted')
    return <span>{plural(fold.lanes.length, 'member')}</span>;
  const wanted = first.data.definition.roles.reduce((sum, { count }) => sum + count, 0);
  return <span>wants {plural(wanted, 'board')}</span>;
}

/** `count`: of the events that are folded. */
function Timing({ fold }: { fold: JobFold; count: number }) {
  const timeOf = (at: number) => fold.times[at] ?? 0;
  const submitted = timeOf(0);
  const ended = fold.ended === undefined ? undefined : timeOf(fold.ended);
  if (fold.lanes.length === 0)
    return ended === undefined ? (
      <span>
        has waited <Since at={submitted} /> for boards
      </span>
    ) : null;
  const allocated = timeOf(fold.start);
  return (
    <span>
      {lasting(allocated - submitted)} in the queue,{' '}
      {ended === undefined ? (
        <>
          runs for <Since at={allocated} />
        </>
      ) : (
        `ran ${lasting(ended - allocated)}`
      )}
    </span>
  );
}

function Cancel({ page }: { page: JobPage }) {
  const isAsking = useSignal(false);
  const trouble = useSignal('');
  const reason = useSignal('');
  const isGoing = page.isCaughtUp.value && page.count.value > 0 && page.fold.ended === undefined;
  if (!isGoing) return null;
  const members = page.fold.lanes.length;
  if (!isAsking.value)
    return (
      <button type="button" onClick={() => (isAsking.value = true)}>
        Cancel…
      </button>
    );
  const cancel = async (event: Event) => {
    event.preventDefault();
    try {
      const body = reason.value.trim() === '' ? {} : { reason: reason.value.trim() };
      await send('POST', `/api/jobs/${page.id}/cancel`, body);
      isAsking.value = false;
    } catch (error) {
      trouble.value = toldOf(error);
    }
  };
  return (
    <form class="asking" onSubmit={cancel}>
      <input
        aria-label="Why the job is cancelled"
        placeholder="why (is recorded)"
        value={reason.value}
        onInput={({ currentTarget: { value } }) => (reason.value = value)}
      />
      <button type="submit" class="dangerous">
        {members === 0 ? 'Cancel the job' : `Cancel all ${plural(members, 'member')}`}
      </button>
      <button type="button" onClick={() => (isAsking.value = false)}>
        Keep it
      </button>
      {trouble.value !== '' && <Trouble>{trouble.value}</Trouble>}
    </form>
  );
}

/**
 * Why it ended, where it did not complete: first the sentence, then who was missing. It stands there at every event: its
 * links lead to those.
 */
function Ending({ page }: { page: JobPage }) {
  const view = page.view.value;
  if (view?.reason === undefined) return null;
  const [first, ...under] = view.reason.split('\n');
  const cause = page.fold.ended;
  const event = cause === undefined ? undefined : page.fold.events[cause];
  const member = event?.type === 'JobFailed' ? event.data.member : undefined;
  return (
    <div class={`ending ${view.state}`} role="status">
      <p>
        {member !== undefined && first?.startsWith(`${member}:`) ? (
          <b>
            <button
              type="button"
              class="link"
              onClick={() => page.choose(page.fold.laneNamed(member))}
            >
              {member}
            </button>
            {first.slice(member.length)}
          </b>
        ) : (
          <b>{first}</b>
        )}
      </p>
      {under.length > 0 && (
        <ul>
          {under.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      <Explanation page={page} />
    </div>
  );
}

const TABS = {
  events: ['Events', Events],
  barriers: ['Barriers', Barriers],
  messages: ['Messages', Messages],
  results: ['Results', Results],
  console: ['Console', Console],
  log: ['Combined log', Combined],
  sources: ['Sources', Sources],
} as const;
type Tab = keyof typeof TABS;

function Tabs({ page }: { page: JobPage }) {
  const asked = query.value.get('tab') ?? 'events';
  const tab: Tab = asked in TABS ? (asked as Tab) : 'events';
  const [, Panel] = TABS[tab];
  const names = Object.keys(TABS) as Tab[];
  const step = (by: number) => {
    const next = names[(names.indexOf(tab) + by + names.length) % names.length];
    setQuery({ tab: next === 'events' ? undefined : next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section class="panel tabs" aria-label="What happened">
      <div role="tablist" aria-label="What happened">
        {names.map((name) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={name === tab}
            aria-controls="tab-panel"
            tabIndex={name === tab ? 0 : -1}
            onClick={() => setQuery({ tab: name === 'events' ? undefined : name })}
            onKeyDown={(event) => {
              if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
              event.stopPropagation();
              event.preventDefault();
              step(event.key === 'ArrowRight' ? 1 : -1);
            }}
          >
            {TABS[name][0]}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        <Panel page={page} />
      </div>
    </section>
  );
}
