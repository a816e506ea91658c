/** What would have been: the recorded job again with something changed, its answer in a sentence and drawn below the lanes. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { RecordedEvent, WhatIfView } from '../api/types.ts';
import { useAsked } from '../ui/asked.ts';
import { Badge, listed, Trouble } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';
import { lasting } from '../ui/time.ts';
import { FoldedRun } from './folded-run.ts';
import type { JobPage } from './job-state.ts';
import { Lanes } from './lanes.tsx';
import type { Flag } from './run.ts';
import { OPEN } from './spans.ts';
import { type Change, changesIn, flagsOf, wordsOf } from './what-if-changes.ts';
import { WhatIfMenu } from './what-if-menu.tsx';
import { type Verdict, verdictOf } from './what-if-verdict.ts';

const LANES_PIXELS_MAX = 340;
const WAITS_TOLD_MAX = 6;
const MISSING_TOLD_MAX = 3;

const put = (changes: readonly Change[]) => setQuery(wordsOf(changes));

export function WhatIf({ page }: { page: JobPage }) {
  const words = wordsOf(changesIn(query.value));
  const text = JSON.stringify(words);
  const changes = useMemo(() => changesIn(query.peek()), [text]);
  const count = page.count.value;
  useEffect(() => {
    page.flags.value = flagsOf(page.fold, changes);
    return () => {
      page.flags.value = [];
    };
  }, [page, changes, page.fold.lanes.length > 0 && changes.length > 0 ? Math.min(count, 2) : 0]);
  return (
    <>
      <WhatIfMenu page={page} add={(change) => put([...changes, change])} />
      {changes.length > 0 && <Answer page={page} changes={changes} />}
    </>
  );
}

function Answer({ page, changes }: { page: JobPage; changes: readonly Change[] }) {
  const { answer, trouble } = useAsked<WhatIfView>(pathOf(page.id, changes), page.isEnded.value);
  const is = answer.value;
  return (
    <section class="what-if" aria-labelledby="what-if-title">
      <header>
        <h2 id="what-if-title">What if</h2>
        <ul class="changes">
          {changes.map((change, n) => (
            <ChangeItem
              page={page}
              key={JSON.stringify({ ...change, seconds: 0 })}
              change={change}
              set={(to) => put(changes.flatMap((other, i) => (i === n ? (to ?? []) : other)))}
            />
          ))}
        </ul>
        <button type="button" onClick={() => put([])}>
          Back to what was
        </button>
      </header>
      {trouble.value !== '' && <Trouble>{trouble.value}</Trouble>}
      {is === undefined ? (
        trouble.value === '' && <p class="loading">Playing it again…</p>
      ) : (
        <>
          <Said is={is} />
          <WouldBe page={page} is={is} />
        </>
      )}
    </section>
  );
}

function pathOf(job: number, changes: readonly Change[]): string {
  const asked = new URLSearchParams({ events: 'true' });
  for (const [kind, words] of Object.entries(wordsOf(changes)))
    for (const word of words) asked.append(kind, word);
  return `/api/jobs/${job}/what-if?${asked}`;
}

/** A message by its name and its sender; by its event alone while that has not come. */
function messageOf({ fold }: JobPage, event: number): string {
  const is = fold.events[event - 1];
  if (is?.type !== 'MessageSent') return `the message of event ${event}`;
  return `${is.data.message} of ${is.data.member} (event ${event})`;
}

interface ChangeItemProps {
  page: JobPage;
  change: Change;
  /** `undefined`: it is taken back. */
  set(to: Change | undefined): void;
}

/** A change, which can be taken back; a delay can be another one. */
function ChangeItem({ page, change, set }: ChangeItemProps) {
  const seconds = useSignal(change.kind === 'delay' ? String(change.seconds) : '');
  const away = (
    <button
      type="button"
      class="away-button"
      aria-label="Take it back"
      onClick={() => set(undefined)}
    >
      ✕
    </button>
  );
  if (change.kind === 'drop')
    return (
      <li>
        {messageOf(page, change.event)} is lost {away}
      </li>
    );
  if (change.kind === 'crash')
    return (
      <li>
        {change.device} crashes after event {change.event} {away}
      </li>
    );
  const where = change.event === undefined ? 'from its start on' : `from event ${change.event} on`;
  return (
    <li>
      {change.device} is{' '}
      <input
        type="number"
        class="seconds"
        aria-label={`Seconds that ${change.device} is later`}
        min={0}
        step="any"
        value={seconds.value}
        onInput={({ currentTarget: { value } }) => {
          seconds.value = value;
        }}
        onChange={({ currentTarget: { valueAsNumber } }) => {
          if (valueAsNumber >= 0) set({ ...change, seconds: valueAsNumber });
        }}
      />{' '}
      s later {where} {away}
    </li>
  );
}

function Said({ is }: { is: WhatIfView }) {
  const { word, tone, says } = verdictOf(is);
  return (
    <div class="said-if" role="status">
      <p class="verdict">
        <Badge tone={tone}>{word}</Badge> {says}{' '}
        <span class="soft">
          after {lasting(is.seconds * 1_000)}; it was {stateWord(is.recorded.state)} after{' '}
          {lasting(is.recorded.seconds * 1_000)}
        </span>
      </p>
      <ul>
        {is.hangs.slice(0, WAITS_TOLD_MAX).map(({ member, what, missing }) => (
          <li key={`${member} ${what}`}>
            <b>{member}</b> hangs in <code>{what}</code>, waiting for{' '}
            {listed(missing, MISSING_TOLD_MAX, '; ')}
          </li>
        ))}
        {is.hangs.length > WAITS_TOLD_MAX && (
          <li class="soft">and {is.hangs.length - WAITS_TOLD_MAX} more waits</li>
        )}
        {otherEnds(is).map(({ devices, how }) => (
          <li key={how}>
            <b>{listed(devices)}</b> {how}
          </li>
        ))}
      </ul>
      <p class="soft assumed">Taken for granted: {is.assumed.join('; ')}.</p>
    </div>
  );
}

/** Who ends otherwise than it did: those that end alike together. */
function otherEnds({ members }: WhatIfView): { devices: string[]; how: string }[] {
  const ends = new Map<string, { devices: string[]; state: string; recorded: string }>();
  for (const { device, state, recorded } of members) {
    if (state === recorded) continue;
    const key = `${state} ${recorded}`;
    const alike = ends.get(key) ?? { devices: [], state, recorded };
    alike.devices.push(device);
    ends.set(key, alike);
  }
  return [...ends.values()].map(({ devices, state, recorded }) => {
    const [one, many] = isOver(state) ? ['ends', 'end'] : ['is', 'are'];
    const verb = devices.length === 1 ? one : many;
    return { devices, how: `${verb} ${stateWord(state)} instead of ${stateWord(recorded)}` };
  });
}

const isOver = (state: string): boolean =>
  ['complete', 'failed', 'timedOut', 'cancelled'].includes(state);

const stateWord = (state: string): string => (state === 'timedOut' ? 'timed out' : state);

/** The lanes of what would be, under the lens of those above. */
function WouldBe({ page, is }: { page: JobPage; is: WhatIfView }) {
  const run = useMemo(() => {
    const { order, lens } = page;
    const choose = (device: string | undefined) => setQuery({ device });
    const made = new FoldedRun({ order, lens, device: page.device, choose });
    made.take((is.events ?? []) as unknown as RecordedEvent[]);
    made.isEnded.value = true;
    made.flags.value = stuckIn(made, verdictOf(is));
    return made;
  }, [page, is]);
  return (
    <>
      <h3 class="lanes-title">What would have been</h3>
      <Lanes
        run={run}
        name="Swimlanes of what would have been"
        hasLens={false}
        heightMax={LANES_PIXELS_MAX}
      />
    </>
  );
}

/** Where it hangs, on its lanes: at waits that nothing but a limit ended. */
function stuckIn({ fold }: FoldedRun, { flag }: Verdict): Flag[] {
  const flags: Flag[] = [];
  for (const [lane, { waits }] of fold.lanes.entries())
    for (const { from, to, outcome } of waits) {
      const isReleased = outcome === 'released' || outcome === 'abandoned';
      if (flag !== undefined && !isReleased)
        flags.push({ event: from, lane, text: flag, tone: 'bad' });
      if (to === OPEN) break;
    }
  return flags;
}
