/** Every board a tile: how it is, who has it, since when. Filtered, grouped, searched; only tiles in sight exist. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { DeviceView } from '../api/types.ts';
import { boardLink, jobLink, plural, Section } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';
import { Rows } from '../ui/rows.tsx';
import { scale } from '../ui/scale.ts';
import { age, clock, exactly } from '../ui/time.ts';
import type { Tone } from '../ui/tone.ts';
import { doingOn, boards as sorted } from './lab-state.ts';
import { partOf, wantPart } from './playing.ts';

/** What a board is to somebody who needs one, in one word. */
export function stateOf(board: DeviceView): { word: string; tone: Tone; why?: string } {
  if (board.state === 'retired') return { word: 'retired', tone: 'quiet' };
  const why = board.offlineReason ?? board.healthReason;
  const because = why === undefined ? {} : { why };
  if (board.health === 'bad') return { word: 'bad', tone: 'bad', ...because };
  if (board.health === 'maintenance') return { word: 'maintenance', tone: 'warn', ...because };
  if (!board.online) return { word: 'offline', tone: 'warn', ...because };
  if (board.state === 'reserved') return { word: 'in use', tone: 'busy' };
  if (board.health === 'looping') return { word: 'looping', tone: 'warn', ...because };
  return { word: 'idle', tone: 'good' };
}

const SIGNS: Record<Tone, string> = { good: '✓', bad: '✕', busy: '▸', quiet: '·', warn: '!' };
const WORDS = ['in use', 'idle', 'offline', 'maintenance', 'looping', 'bad', 'retired'] as const;
const GROUPS = {
  none: () => '',
  type: (board: DeviceView) => board.type,
  worker: (board: DeviceView) => board.worker,
  state: (board: DeviceView) => stateOf(board).word,
} as const;
type Grouping = keyof typeof GROUPS;

const TILE_WIDTH_MIN = 212;
const TILE_HEIGHT = 54;

const byName = new Intl.Collator('en', { numeric: true });

function matches(board: DeviceView, words: readonly string[]): boolean {
  const text = `${board.name} ${board.type} ${board.worker} ${board.tags.join(' ')} ${board.job ?? ''} ${board.health} ${stateOf(board).word}`;
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

type Line = { title: string; count: number } | { boards: DeviceView[] };

/** Rows of tiles, with a title above each group. */
function linesOf(boards: readonly DeviceView[], grouping: Grouping, columns: number): Line[] {
  const groups = new Map<string, DeviceView[]>();
  for (const board of boards) {
    const key = GROUPS[grouping](board);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [board]);
    else group.push(board);
  }
  const lines: Line[] = [];
  for (const [title, group] of [...groups].sort(([a], [b]) => byName.compare(a, b))) {
    if (grouping !== 'none') lines.push({ title, count: group.length });
    for (let at = 0; at < group.length; at += columns)
      lines.push({ boards: group.slice(at, at + columns) });
  }
  return lines;
}

function Tile({ board }: { board: DeviceView }) {
  const { word, tone, why } = stateOf(board);
  const { name, job } = board;
  const part = job === undefined ? undefined : partOf(name, job);
  useEffect(() => {
    if (job !== undefined && part === undefined) wantPart(job);
  }, [job, part === undefined]);
  const since = part?.since ?? board.idleSince;
  return (
    <li class={`tile ${tone}`}>
      <div>
        <a href={boardLink(board.name)} class="tile-name">
          {board.name}
        </a>
        <span class="tile-type" title={`driven by worker ${board.worker}`}>
          {board.type} · {board.worker}
        </span>
      </div>
      <div>
        <span class="tile-state" title={why ?? `health ${board.health}`}>
          <span aria-hidden="true">{SIGNS[tone]}</span> {word}
          {board.job === undefined ? (
            !word.includes(board.health) && <span class="soft"> · health {board.health}</span>
          ) : (
            <>
              {' '}
              <a href={jobLink(board.job, `?device=${encodeURIComponent(board.name)}`)}>
                job {board.job}
              </a>
              {part !== undefined && <span title={doingOn.value.get(name)}> {part.role}</span>}
            </>
          )}
        </span>
        <time class="tile-since" dateTime={since} title={exactly(Date.parse(since))}>
          {age(clock.value - Date.parse(since))}
        </time>
      </div>
    </li>
  );
}

export function Boards() {
  const box = useRef<HTMLDivElement>(null);
  const columns = useSignal(4);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const watcher = new ResizeObserver(() => {
      columns.value = Math.max(
        1,
        Math.floor(element.clientWidth / (TILE_WIDTH_MIN * scale.peek())),
      );
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [columns, scale.value]);
  const text = query.value.get('q') ?? '';
  const only = query.value.get('state') ?? '';
  const asked = query.value.get('group') ?? 'none';
  const grouping: Grouping = asked in GROUPS ? (asked as Grouping) : 'none';
  const counts = useComputed(() => {
    const seen = new Map<string, number>();
    for (const board of sorted.value) {
      const { word } = stateOf(board);
      seen.set(word, (seen.get(word) ?? 0) + 1);
    }
    return seen;
  });
  const shown = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return sorted.value.filter(
      (board) =>
        (only === '' || stateOf(board).word === only) &&
        (words.length === 0 || matches(board, words)),
    );
  }, [sorted.value, text, only]);
  const lines = useMemo(
    () => linesOf(shown, grouping, columns.value),
    [shown, grouping, columns.value],
  );
  const total = sorted.value.length;
  return (
    <Section
      title="Boards"
      count={shown.length === total ? String(total) : `${shown.length} of ${total}`}
      class="boards"
      aside={
        <search class="filters">
          <input
            type="search"
            placeholder="name, type, tag, worker, job"
            aria-label="Search boards"
            value={text}
            onInput={(event) => setQuery({ q: event.currentTarget.value })}
          />
          <select
            aria-label="Boards in this state"
            value={only}
            onChange={(event) => setQuery({ state: event.currentTarget.value })}
          >
            <option value="">every state</option>
            {WORDS.map((word) => (
              <option key={word} value={word}>
                {word} ({counts.value.get(word) ?? 0})
              </option>
            ))}
          </select>
          <select
            aria-label="Group boards"
            value={grouping}
            onChange={({ currentTarget: { value } }) =>
              setQuery({ group: value === 'none' ? undefined : value })
            }
          >
            <option value="none">no groups</option>
            <option value="type">by type</option>
            <option value="worker">by worker</option>
            <option value="state">by state</option>
          </select>
        </search>
      }
    >
      <div ref={box} class="boards-box">
        {shown.length === 0 ? (
          <p class="empty">
            No board of {plural(total, 'board')} is like this. <a href="/">Show all boards</a>
          </p>
        ) : (
          <Rows
            count={lines.length}
            rowHeight={TILE_HEIGHT * scale.value}
            label="Boards"
            row={(at) => <BoardLine line={lines[at]} columns={columns.value} />}
          />
        )}
      </div>
    </Section>
  );
}

function BoardLine({ line, columns }: { line: Line | undefined; columns: number }) {
  if (line === undefined) return null;
  if ('title' in line)
    return (
      <div class="tiles-title" role="listitem">
        {line.title} <span class="count">{line.count}</span>
      </div>
    );
  return (
    <div role="listitem">
      <ul class="tiles" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
        {line.boards.map((board, n) => (
          <Tile key={n} board={board} />
        ))}
      </ul>
    </div>
  );
}
