/** The events of two counterparts, line by line. */
import { useMemo } from 'preact/hooks';
import type { FoldedRun } from '../job/folded-run.ts';
import { eventText, sinceBoards } from '../job/words.ts';
import { Section } from '../ui/parts.tsx';
import { setQuery } from '../ui/router.ts';
import { Rows } from '../ui/rows.tsx';
import { aligned, type Row } from './align.ts';
import type { TwoRuns } from './runs.ts';

const ROW_HEIGHT = 24;

export function Beside({ runs }: { runs: TwoRuns }) {
  const { good, bad, diff } = runs;
  const counts = [good.count.value, bad.count.value, good.lane.value, bad.lane.value];
  const rows = useMemo(
    () =>
      good.lane.value < 0 || bad.lane.value < 0
        ? []
        : aligned(
            { fold: good.fold, lane: good.lane.value },
            { fold: bad.fold, lane: bad.lane.value },
          ),
    [runs, ...counts],
  );
  const pair = runs.pair.value;
  if (pair === undefined) return <p class="empty">The runs have no boards in common.</p>;
  const parting = partingRow(rows, runs);
  const stands = ({ good: one, bad: other }: Row) =>
    (one !== undefined && one === good.chosen.value) ||
    (other !== undefined && other === bad.chosen.value);
  const first = rows.findIndex(stands);
  return (
    <Section
      title="Event by event"
      aside={
        <select
          aria-label="Pair of boards"
          value={pair.bad}
          onChange={({ currentTarget: { value } }) => setQuery({ device: value })}
        >
          {diff.pairs.map((is) => (
            <option key={is.bad} value={is.bad}>
              {is.role}[{is.index}]: {is.good} and {is.bad}
            </option>
          ))}
        </select>
      }
    >
      <div class="beside-head" aria-hidden="true">
        <span>
          {pair.good} in job {diff.with}
        </span>
        <span>
          {pair.bad} in job {diff.id}
        </span>
      </div>
      <Rows
        class="events beside"
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        focus={first >= 0 ? first : parting}
        label="Events of both boards"
        row={(n) => {
          const row = rows[n];
          if (row === undefined) return null;
          const isNow = stands(row);
          return <Pair runs={runs} row={row} isParting={n === parting} isNow={isNow} />;
        }}
      />
    </Section>
  );
}

/** The line at which these two part. */
function partingRow(rows: readonly Row[], { diff, pair }: TwoRuns): number | undefined {
  const all = [...(diff.first === undefined ? [] : [diff.first]), ...diff.others];
  const is = all.find(({ boards }) => boards.bad === pair.value?.bad);
  if (is === undefined) return undefined;
  const bad = (is.bad?.event ?? 0) - 1;
  const good = (is.good?.event ?? 0) - 1;
  const found = rows.findIndex(
    (row) => (row.good === good && row.good !== undefined) || (row.bad === bad && bad >= 0),
  );
  return found < 0 ? undefined : found;
}

interface PairProps {
  runs: TwoRuns;
  row: Row;
  isParting: boolean;
  isNow: boolean;
}

function Pair({ runs, row, isParting, isNow }: PairProps) {
  const isSame = row.good !== undefined && row.bad !== undefined;
  const stand = () => {
    if (row.good !== undefined) runs.good.stand(row.good);
    if (row.bad !== undefined) runs.bad.stand(row.bad);
  };
  return (
    <div
      role="listitem"
      class={`event ${isNow ? 'now' : ''} ${isSame ? '' : 'alone'} ${isParting ? 'parting' : ''}`}
    >
      <button type="button" onClick={stand} aria-current={isParting ? 'true' : undefined}>
        {isParting && <span class="unseen">First divergence:</span>}
        <Half run={runs.good} at={row.good} />
        <span class="beside-sign" aria-hidden="true">
          {isSame ? '=' : row.good === undefined ? '+' : '−'}
        </span>
        <Half run={runs.bad} at={row.bad} />
      </button>
    </div>
  );
}

/** What the board did: its name stands above. */
function Half({ run, at }: { run: FoldedRun; at: number | undefined }) {
  if (at === undefined) return <span class="half none">nothing</span>;
  const name = `${run.fold.lanes[run.lane.value]?.device} `;
  const text = eventText(run, at);
  return (
    <span class="half">
      <span class="event-time">{sinceBoards(run.fold, at)}</span>
      <span class="event-text">{text.startsWith(name) ? text.slice(name.length) : text}</span>
    </span>
  );
}
