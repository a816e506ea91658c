/** What ran: the files of each suite as they were, with the line that did it marked. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { request, toldOf } from '../api/client.ts';
import type { RanView, SourcesView } from '../api/types.ts';
import { useAsked } from '../ui/asked.ts';
import { Download } from '../ui/download.tsx';
import { listed, plural, Trouble } from '../ui/parts.tsx';
import { query, setQuery } from '../ui/router.ts';
import type { JobPage } from './job-state.ts';

const LINES_SHOWN_MAX = 5_000;

interface File {
  suite: RanView;
  path: string;
  bytes: number;
  digest: string;
  notKept: string | undefined;
}

/** Each file that ran once, however many suites and boards ran it. */
function filesOf({ suites }: SourcesView): File[] {
  const files = new Map<string, File>();
  for (const suite of suites)
    for (const { path, bytes, digest, notKept } of [...suite.files, ...suite.scripts])
      if (!files.has(`${path}\0${digest}`))
        files.set(`${path}\0${digest}`, { suite, path, bytes, digest, notKept });
  return [...files.values()];
}

/** A cause names a file as its repository does; a script that was made of a definition by its last part. */
const isMeant = (path: string, file: string): boolean =>
  path === file || file.endsWith(`/${path}`) || path.endsWith(`/${file}`);

export function Sources({ page }: { page: JobPage }) {
  const { answer, trouble } = useAsked<SourcesView>(
    `/api/jobs/${page.id}/sources`,
    page.isEnded.value,
  );
  if (trouble.value !== '') return <Trouble>{trouble.value}</Trouble>;
  if (answer.value === undefined) return <p class="loading">Asking for what ran…</p>;
  const files = filesOf(answer.value);
  // Nothing else was asked for: the line that ended the job.
  const asked = query.value.get('file');
  const culprit = asked === null ? page.culprit.value : undefined;
  const wanted = asked ?? culprit?.file ?? '';
  const line = Number(query.value.get('line') ?? culprit?.line ?? 0);
  const file =
    files.find(({ path }) => path === wanted) ??
    files.find(({ path }) => isMeant(path, wanted)) ??
    files.find(({ suite, path }) => path === suite.definition) ??
    files[0];
  return (
    <div class="sources">
      <p class="results-head">
        {file === undefined ? (
          <span>Nothing that ran in this job was kept as a file.</span>
        ) : (
          <label>
            File{' '}
            <select
              value={file.path}
              onChange={({ currentTarget: { value } }) =>
                setQuery({ file: value, line: undefined })
              }
            >
              {files.map(({ path, digest }) => (
                <option key={digest + path} value={path}>
                  {path}
                </option>
              ))}
            </select>
          </label>
        )}
        {file !== undefined && <Origin suite={file.suite} />}
        <Download path={`/api/jobs/${page.id}/bundle`} name={`job-${page.id}.tar.gz`}>
          all of the job in one file
        </Download>
      </p>
      {file !== undefined && (
        <Text
          key={file.digest}
          job={page.id}
          file={file}
          line={line}
          here={membersIn(page, file.path)}
        />
      )}
    </div>
  );
}

function Origin({ suite: { suite, members, source } }: { suite: RanView }) {
  const from = source.repository ?? source.url ?? source.from;
  const commit = source.commit === undefined ? '' : ` at ${source.commit.slice(0, 12)}`;
  return (
    <span class="soft" title={members.join(', ')}>
      {suite} of {from}
      {commit}, on {plural(members.length, 'board')}
    </span>
  );
}

/** Which members are on which line of a file, at the event at which the page stands. */
function membersIn(page: JobPage, path: string): ReadonlyMap<number, string[]> {
  const here = new Map<number, string[]>();
  const at = page.at.value;
  for (const { device } of page.fold.lanes) {
    const line = page.scripts.value?.at(device, at);
    if (line === undefined || line.file === '' || !isMeant(path, line.file)) continue;
    here.set(line.line, [...(here.get(line.line) ?? []), device]);
  }
  return here;
}

const MEMBERS_NAMED_MAX = 3;

interface TextProps {
  job: number;
  file: File;
  /** That is marked; 0: none. */
  line: number;
  here: ReadonlyMap<number, string[]>;
}

function Text({ job, file, line, here }: TextProps) {
  const text = useSignal<string | undefined>(undefined);
  const trouble = useSignal('');
  const marked = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (file.notKept !== undefined) return;
    const stop = new AbortController();
    request(`/api/jobs/${job}/sources/${file.digest}`, { signal: stop.signal })
      .then((answer) => answer.text())
      .then((got) => {
        text.value = got;
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) trouble.value = toldOf(error);
      });
    return () => stop.abort();
  }, [job, file.digest, file.notKept]);
  useEffect(() => {
    const pane = marked.current?.closest('[role=region]');
    if (pane && marked.current) pane.scrollTop = marked.current.offsetTop - pane.clientHeight / 2;
  }, [text.value, line]);
  if (file.notKept !== undefined)
    return <p class="empty">The text of this file is not there: {file.notKept}.</p>;
  if (trouble.value !== '') return <Trouble>{trouble.value}</Trouble>;
  if (text.value === undefined) return <p class="loading">Asking for its text…</p>;
  const lines = text.value.split('\n');
  return (
    <div class="console-text source" role="region" aria-label={`Text of ${file.path}`} tabIndex={0}>
      <ol>
        {lines.slice(0, LINES_SHOWN_MAX).map((each, n) => (
          <li key={n} ref={n + 1 === line ? marked : null} class={n + 1 === line ? 'marked' : ''}>
            {each}
            <Here devices={here.get(n + 1)} />
          </li>
        ))}
      </ol>
      {lines.length > LINES_SHOWN_MAX && <p>and {lines.length - LINES_SHOWN_MAX} more lines</p>}
    </div>
  );
}

function Here({ devices }: { devices: string[] | undefined }) {
  if (devices === undefined) return null;
  return (
    <span class="here" title={devices.join(', ')}>
      ◂ {listed(devices, MEMBERS_NAMED_MAX)}
    </span>
  );
}
