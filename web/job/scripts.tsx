/** Who is where in its script at the event at which the page stands. */
import { useEffect } from 'preact/hooks';
import type { ScriptLinesView } from '../api/types.ts';
import { useAsked } from '../ui/asked.ts';
import { Section } from '../ui/parts.tsx';
import { setQuery } from '../ui/router.ts';
import type { JobPage } from './job-state.ts';
import { type ScriptLine, ScriptLines } from './script-lines.ts';

/** Members that are told; the chosen one is always among them. */
const MEMBERS_TOLD_MAX = 12;
/** A job that goes on is asked for again when so many more events came. */
const EVENTS_AGAIN = 50;

export function Scripts({ page }: { page: JobPage }) {
  const grown = page.isEnded.value ? -1 : Math.floor(page.count.value / EVENTS_AGAIN);
  const { answer } = useAsked<ScriptLinesView>(`/api/jobs/${page.id}/script-lines`, grown);
  useEffect(() => {
    if (answer.value !== undefined) page.scripts.value = new ScriptLines(answer.value);
  }, [answer.value]);
  const lines = page.scripts.value;
  const at = page.at.value;
  if (lines === undefined) return null;
  const chosen = page.device.value;
  const all = page.fold.lanes.flatMap(({ device }) => lines.at(device, at) ?? []);
  if (all.length === 0) return null;
  const told = [...all]
    .sort((a, b) => Number(b.device === chosen) - Number(a.device === chosen))
    .slice(0, MEMBERS_TOLD_MAX);
  return (
    <Section title="Scripts" class="scripts">
      <ul>
        {told.map((line) => (
          <li key={line.device}>
            <b>{line.device}</b> <ScriptPlace line={line} /> <code>{line.text}</code>
          </li>
        ))}
      </ul>
      {all.length > told.length && <p class="soft">and {all.length - told.length} more</p>}
    </Section>
  );
}

function ScriptPlace({ line: { device, file, line, suite } }: { line: ScriptLine }) {
  if (file === '')
    return (
      <span class="soft" title={suite}>
        command {line}
      </span>
    );
  return (
    <button
      type="button"
      class="link"
      onClick={() => setQuery({ tab: 'sources', device, file, line: String(line) })}
    >
      {file}:{line}
    </button>
  );
}
