/** The page: its frame, its places, and what every place needs: a token where one is wanted, and a server that answers. */
import { useSignal } from '@preact/signals';
import { render, type VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { awaySince, hasToken, logIn, login, logOut, request } from './api/client.ts';
import { Board } from './board/board.tsx';
import { Compare } from './compare/compare.tsx';
import { Job } from './job/job.tsx';
import { Jobs } from './jobs/jobs.tsx';
import { Lab } from './lab/lab.tsx';
import { Log } from './log/log.tsx';
import { Operations } from './operations/operations.tsx';
import { Case } from './results/case.tsx';
import { Submit } from './submit/submit.tsx';
import { path, query, takeLinks } from './ui/router.ts';
import { setWall } from './ui/scale.ts';
import { moment } from './ui/time.ts';

const VIEWS: Readonly<Record<string, () => VNode>> = {
  '/': Lab,
  '/jobs': Jobs,
  '/submit': Submit,
  '/results': Case,
  '/log': Log,
  '/operations': Operations,
};

const PLACES = [
  ['/', 'Lab'],
  ['/jobs', 'Jobs'],
  ['/submit', 'Submit'],
  ['/results', 'Results'],
  ['/log', 'Log'],
  ['/operations', 'Operations'],
] as const;

function App() {
  const isWall = query.value.has('wall');
  const isLab = path.value === '/';
  useEffect(() => {
    setWall(isWall, isLab);
  }, [isWall, isLab]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      {!isWall && <Bar />}
      {awaySince.value !== undefined && <Away since={awaySince.value} />}
      <main id="main" tabIndex={-1}>
        {login.value.isWanted ? <Login why={login.value.why} /> : <Place />}
      </main>
    </>
  );
}

function Bar() {
  return (
    <header class="bar">
      <a class="brand" href="/">
        <img src="/favicon.svg" alt="" width="18" height="18" /> <span>Muster</span>
      </a>
      <nav aria-label="Places">
        {PLACES.map(([to, name]) => (
          <a key={to} href={to} aria-current={isHere(to) ? 'page' : undefined}>
            {name}
          </a>
        ))}
        {!hasToken() && (
          <a href="/docs" data-outside>
            API
          </a>
        )}
      </nav>
      {hasToken() && (
        <button type="button" class="link" onClick={logOut}>
          Log out
        </button>
      )}
    </header>
  );
}

const isHere = (to: string): boolean =>
  to === '/' ? path.value === '/' : path.value === to || path.value.startsWith(`${to}/`);

function Place() {
  const here = path.value.replace(/(.)\/$/, '$1');
  const [, compared] = /^\/jobs\/(\d+)\/compare$/.exec(here) ?? [];
  if (compared !== undefined) return <Compare key={compared} id={Number(compared)} />;
  const [, job] = /^\/jobs\/(\d+)$/.exec(here) ?? [];
  if (job !== undefined) return <Job key={job} id={Number(job)} />;
  const [, board] = /^\/boards\/([^/]+)$/.exec(here) ?? [];
  if (board !== undefined) return <Board key={board} name={decodeURIComponent(board)} />;
  const Here = VIEWS[here];
  if (Here !== undefined) return <Here />;
  return (
    <p class="empty">
      There is nothing at {here}. <a href="/">To the lab</a>
    </p>
  );
}

const HEALTH_EVERY_MS = 1_000;

/** The streams come back by themselves; this asks as well, so that a page without one hears of it too. */
function Away({ since }: { since: number }) {
  useEffect(() => {
    const again = setInterval(() => void request('/api/health').catch(() => {}), HEALTH_EVERY_MS);
    return () => clearInterval(again);
  }, []);
  return (
    <p class="away" role="alert">
      The server has not answered since {moment(since)}. What is shown is from then; this page tries
      again every second and goes on by itself.
    </p>
  );
}

function Login({ why }: { why: string }) {
  const given = useSignal('');
  return (
    <form
      class="login panel"
      onSubmit={(event) => {
        event.preventDefault();
        if (given.value !== '') logIn(given.value.trim());
      }}
    >
      <h1>This server wants a token</h1>
      <p>
        It is what <code>MUSTER_API_TOKEN</code> was set to when the server started. It is kept for
        this tab alone.
      </p>
      {why !== '' && (
        <p class="trouble" role="alert">
          {why}
        </p>
      )}
      <label>
        Token{' '}
        <input
          type="password"
          autoComplete="off"
          value={given.value}
          onInput={({ currentTarget: { value } }) => {
            given.value = value;
          }}
        />
      </label>
      <button type="submit">Log in</button>
    </form>
  );
}

takeLinks();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
