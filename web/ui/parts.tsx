/** Small parts that every view uses. A state has a sign and a word beside its colour. */
import type { ComponentChildren } from 'preact';
import { age, clock, exactly, moment } from './time.ts';
import type { Tone } from './tone.ts';

const SIGNS: Record<Tone, string> = { good: '✓', bad: '✕', busy: '▸', quiet: '·', warn: '!' };

const JOB_TONES: Record<string, Tone> = {
  submitted: 'quiet',
  allocated: 'busy',
  complete: 'good',
  failed: 'bad',
  rejected: 'bad',
  timedOut: 'bad',
  cancelled: 'warn',
};

/** What the states of jobs are called here. */
const JOB_WORDS: Record<string, string> = {
  submitted: 'queued',
  allocated: 'running',
  timedOut: 'timed out',
};

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}

export function JobState({ state }: { state: string }) {
  return <Badge tone={JOB_TONES[state] ?? 'quiet'}>{JOB_WORDS[state] ?? state}</Badge>;
}

const RESULT_TONES: Record<string, Tone> = { pass: 'good', fail: 'bad', skip: 'quiet' };

export function ResultBadge({ result }: { result: string }) {
  return <Badge tone={RESULT_TONES[result] ?? 'warn'}>{result}</Badge>;
}

/** How long ago something was, growing; the time itself on hover. */
export function Since({ at }: { at: string | number }) {
  const time = typeof at === 'number' ? at : Date.parse(at);
  return (
    <time dateTime={exactly(time)} title={exactly(time)}>
      {age(clock.value - time)}
    </time>
  );
}

export function At({ at }: { at: string | number }) {
  const time = typeof at === 'number' ? at : Date.parse(at);
  return (
    <time dateTime={exactly(time)} title={exactly(time)}>
      {moment(time)}
    </time>
  );
}

export function Trouble({ children }: { children: ComponentChildren }) {
  return (
    <p class="trouble" role="alert">
      {children}
    </p>
  );
}

export function Section(props: {
  title: string;
  count?: string | undefined;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  const id = `section-${props.title.toLowerCase().replace(/\W+/g, '-')}`;
  return (
    <section class={`panel ${props.class ?? ''}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>
          {props.title} {props.count !== undefined && <span class="count">{props.count}</span>}
        </h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

export const jobLink = (id: number, query = ''): string => `/jobs/${id}${query}`;
export const boardLink = (name: string): string => `/boards/${encodeURIComponent(name)}`;

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

/** Words as they stand in a sentence; of very many the first, and how many more there are. */
export function listed(words: readonly string[], max = 8, apart = ', '): string {
  const named = words.slice(0, max).join(apart);
  const more = words.length - max;
  return more > 0 ? `${named} and ${more.toLocaleString('en')} more` : named;
}
