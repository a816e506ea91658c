/** A job is pasted, dropped or written, and checked as it is: each problem at its line, and the boards that fit. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError, type DocumentProblem, get, request, toldOf } from '../api/client.ts';
import type { CheckedJob, DeviceView, Submitted } from '../api/types.ts';
import { Badge, jobLink, plural, Section, Trouble } from '../ui/parts.tsx';
import { go } from '../ui/router.ts';
import { lasting } from '../ui/time.ts';
import { exampleFor } from './example.ts';

/** So long after the last key a document is checked. */
const PAUSE_MS = 250;
const DRAFT_KEY = 'muster-draft';
const LINE_HEIGHT = 18;

const NONE: { devices: DeviceView[] } = { devices: [] };

interface Said {
  checked: CheckedJob | undefined;
  problems: readonly DocumentProblem[];
  trouble: string;
}

async function check(text: string, signal: AbortSignal): Promise<Said> {
  try {
    const init = { method: 'POST', body: text, headers: { 'content-type': 'text/plain' }, signal };
    const checked = (await (await request('/api/jobs/check', init)).json()) as CheckedJob;
    return { checked, problems: checked.warnings, trouble: '' };
  } catch (error) {
    if (error instanceof ApiError && error.problem.problems !== undefined)
      return { checked: undefined, problems: error.problem.problems, trouble: '' };
    return { checked: undefined, problems: [], trouble: toldOf(error) };
  }
}

export function Submit() {
  const text = useSignal(sessionStorage.getItem(DRAFT_KEY) ?? '');
  const said = useSignal<Said | undefined>(undefined);
  const isSending = useSignal(false);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    document.title = 'Submit a job · Muster';
  }, []);
  useEffect(() => {
    sessionStorage.setItem(DRAFT_KEY, text.value);
    if (text.value.trim() === '') {
      said.value = undefined;
      return;
    }
    const stop = new AbortController();
    const later = setTimeout(() => {
      void check(text.value, stop.signal).then((answer) => {
        if (!stop.signal.aborted) said.value = answer;
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(later);
      stop.abort();
    };
  }, [text.value]);
  const begin = async () => {
    const { devices } = await get<{ devices: DeviceView[] }>('/api/devices').catch(() => NONE);
    text.value = exampleFor(devices);
  };
  const submit = async () => {
    isSending.value = true;
    try {
      const headers = { 'content-type': 'text/plain' };
      const init = { method: 'POST', body: text.value, headers };
      const { id } = (await (await request('/api/jobs', init)).json()) as Submitted;
      sessionStorage.removeItem(DRAFT_KEY);
      go(jobLink(id));
    } catch (error) {
      // What was checked stays: a server that is away may be back when it is sent again.
      const { checked, problems = [] } = said.value ?? {};
      said.value = { checked, problems, trouble: toldOf(error) };
    }
    isSending.value = false;
  };
  const checked = said.value?.checked;
  return (
    <div class="submit">
      <Section
        title="Submit a job"
        aside={
          <button type="button" onClick={() => void begin()}>
            Begin with an example
          </button>
        }
      >
        <Editor
          text={text}
          area={area}
          problems={said.value?.problems ?? []}
          isFatal={checked === undefined}
        />
      </Section>
      <Section title="What the server says" class="said">
        <div aria-live="polite">
          {said.value === undefined && (
            <p class="empty">
              Paste a job's JSON or YAML, or drop its file. It is checked as you type.
            </p>
          )}
          {said.value !== undefined && said.value.trouble !== '' && (
            <Trouble>{said.value.trouble}</Trouble>
          )}
          <Problems
            problems={said.value?.problems ?? []}
            isFatal={checked === undefined}
            show={(problem) => showAt(area.current, text.value, problem)}
          />
          {checked !== undefined && <Match checked={checked} />}
        </div>
        <p class="submit-act">
          <button
            type="button"
            disabled={checked === undefined || isSending.value}
            onClick={submit}
          >
            {checked !== undefined && checked.short.length > 0
              ? 'Submit it all the same (it will be rejected)'
              : 'Submit'}
          </button>
        </p>
      </Section>
    </div>
  );
}

function Editor(props: {
  text: { value: string };
  area: { current: HTMLTextAreaElement | null };
  problems: readonly DocumentProblem[];
  isFatal: boolean;
}) {
  const { text, area, problems, isFatal } = props;
  const gutter = useRef<HTMLDivElement>(null);
  const lines = text.value.split('\n').length;
  const told = new Map(problems.map(({ line, message }) => [line, message]));
  const tone = isFatal ? 'bad' : 'warn';
  const drop = (event: DragEvent) => {
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    event.preventDefault();
    void file.text().then((content) => {
      text.value = content;
    });
  };
  return (
    <fieldset class="editor" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <legend class="unseen">The job</legend>
      <div class="gutter" ref={gutter} aria-hidden="true">
        {Array.from({ length: lines }, (_, n) => (
          <span key={n} class={told.has(n + 1) ? tone : ''} title={told.get(n + 1)}>
            {told.has(n + 1) ? (isFatal ? '●' : '▲') : ''} {n + 1}
          </span>
        ))}
      </div>
      <textarea
        ref={area}
        aria-label="The job, as JSON or YAML"
        spellcheck={false}
        autocapitalize="off"
        wrap="off"
        value={text.value}
        onInput={({ currentTarget: { value } }) => {
          text.value = value;
        }}
        onScroll={({ currentTarget: { scrollTop } }) => {
          if (gutter.current) gutter.current.scrollTop = scrollTop;
        }}
      />
    </fieldset>
  );
}

function Problems(props: {
  problems: readonly DocumentProblem[];
  isFatal: boolean;
  show(problem: DocumentProblem): void;
}) {
  if (props.problems.length === 0) return null;
  return (
    <ul class="problems">
      {props.problems.map((problem) => (
        <li key={`${problem.line} ${problem.column} ${problem.message}`}>
          <Badge tone={props.isFatal ? 'bad' : 'warn'}>{props.isFatal ? 'wrong' : 'warning'}</Badge>{' '}
          <button type="button" class="link" onClick={() => props.show(problem)}>
            line {problem.line}, column {problem.column}
          </button>
          : <Message text={problem.message} />
          {problem.expected !== undefined && !problem.message.includes(problem.expected) && (
            <span class="soft"> (expected: {problem.expected})</span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** A finding of lint says its rule at its end. */
function Message({ text }: { text: string }) {
  const [, said = text, rule] = /^(.*) \[([a-z-]+)\]$/s.exec(text) ?? [];
  return (
    <>
      {said} {rule !== undefined && <span class="kind">{rule}</span>}
    </>
  );
}

/** Puts the cursor where a problem is. */
function showAt(
  area: HTMLTextAreaElement | null,
  text: string,
  { line = 1, column = 1 }: DocumentProblem,
) {
  if (area === null) return;
  const before = text.split('\n').slice(0, line - 1);
  const at = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  area.focus();
  area.setSelectionRange(at, Math.min(text.length, at + 1));
  area.scrollTop = Math.max(0, (line - 4) * LINE_HEIGHT);
}

function Match({ checked }: { checked: CheckedJob }) {
  const { name, form, timeoutSeconds, priority, actions, roles, short } = checked;
  return (
    <div class="match">
      <p>
        <b>{name}</b>{' '}
        <span class="soft">
          {form}, {plural(actions, 'action')}, at most {lasting(timeoutSeconds * 1_000)}, priority{' '}
          {priority}
        </span>
      </p>
      <div class="scrolled" role="region" aria-label="Boards for its roles" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>Role</th>
              <th>Wants</th>
              <th>Boards that fit</th>
              <th>Free now</th>
            </tr>
          </thead>
          <tbody>
            {roles.map((role) => (
              <tr key={role.role}>
                <td>{role.role}</td>
                <td class="wide">
                  {role.count} × {role.device ?? role.deviceType}
                  {role.tags.length > 0 && <span class="soft"> {role.tags.join(' ')}</span>}
                </td>
                <td>{role.fit}</td>
                <td>{role.free}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {short.length === 0 ? (
        <p>
          <Badge tone="good">the boards that there are can run it</Badge>
        </p>
      ) : (
        <ul class="problems">
          {short.map(({ role, lacking }) => (
            <li key={role}>
              <Badge tone="bad">short</Badge> role {role}: {lacking}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
