/** The workers: what they drive, and whether their boards get new jobs. Their tokens are the command line's. */
import { useSignal } from '@preact/signals';
import { send, toldOf } from '../api/client.ts';
import type { WorkerView } from '../api/types.ts';
import { At, Badge, boardLink, plural, Section, Since, Trouble } from '../ui/parts.tsx';
import type { Tone } from '../ui/tone.ts';

const BOARDS_NAMED_MAX = 40;

const TONES: Readonly<Record<WorkerView['state'], Tone>> = {
  connected: 'good',
  away: 'warn',
  lost: 'bad',
  expected: 'quiet',
};

interface WorkersProps {
  workers: readonly WorkerView[];
  changed(now: readonly WorkerView[]): void;
}

export function Workers({ workers, changed }: WorkersProps) {
  return (
    <Section title="Workers" count={String(workers.length)}>
      {workers.length === 0 ? (
        <p class="empty">
          No worker has connected yet. <code>muster serve --lab</code> has one of its own; one on
          another machine connects with a token of <code>muster worker token</code>.
        </p>
      ) : (
        <ul class="workers">
          {workers.map((worker) => (
            <Worker
              key={worker.name}
              worker={worker}
              changed={(now) =>
                changed(workers.map((other) => (other.name === now.name ? now : other)))
              }
            />
          ))}
        </ul>
      )}
    </Section>
  );
}

function Worker({ worker, changed }: { worker: WorkerView; changed(now: WorkerView): void }) {
  const { name, state, drained, boards } = worker;
  return (
    <li>
      <h3>
        {name} <Badge tone={TONES[state]}>{state}</Badge>{' '}
        {drained !== undefined && <Badge tone="warn">drained</Badge>}
      </h3>
      <p class="soft">
        {worker.version !== undefined && `Muster ${worker.version}, `}for{' '}
        <Since at={worker.since} />
        {worker.reason !== undefined && `: ${worker.reason}`}
        {worker.until !== undefined && (
          <>
            , lost at <At at={worker.until} />
          </>
        )}{' '}
        · {worker.used} of {plural(boards.length, 'board')} in use
        {worker.jobLimit !== undefined && `, at most ${worker.jobLimit} at once`}
      </p>
      {drained !== undefined && <p class="why">takes no new jobs: {drained}</p>}
      <p class="names">
        {boards.slice(0, BOARDS_NAMED_MAX).map((board) => (
          <a key={board} href={boardLink(board)}>
            {board}
          </a>
        ))}
        {boards.length > BOARDS_NAMED_MAX && `and ${boards.length - BOARDS_NAMED_MAX} more`}
      </p>
      <Drain worker={worker} changed={changed} />
    </li>
  );
}

function Drain({ worker, changed }: { worker: WorkerView; changed(now: WorkerView): void }) {
  const isAsking = useSignal(false);
  const reason = useSignal('');
  const trouble = useSignal('');
  const order = async (what: 'drain' | 'undrain', body?: object) => {
    try {
      const path = `/api/workers/${encodeURIComponent(worker.name)}/${what}`;
      changed(await send<WorkerView>('POST', path, body));
      isAsking.value = false;
      reason.value = '';
      trouble.value = '';
    } catch (error) {
      trouble.value = toldOf(error);
    }
  };
  const said = trouble.value !== '' && <Trouble>{trouble.value}</Trouble>;
  if (worker.drained !== undefined)
    return (
      <div class="asking">
        <button type="button" onClick={() => void order('undrain')}>
          Give it jobs again
        </button>
        {said}
      </div>
    );
  if (!isAsking.value)
    return (
      <div class="asking">
        <button type="button" onClick={() => (isAsking.value = true)}>
          Drain {worker.name}…
        </button>
      </div>
    );
  return (
    <form
      class="asking"
      onSubmit={(event) => {
        event.preventDefault();
        void order('drain', { reason: reason.value.trim() });
      }}
    >
      <input
        aria-label={`Why ${worker.name} is drained`}
        placeholder="why (is recorded)"
        required
        value={reason.value}
        onInput={({ currentTarget: { value } }) => {
          reason.value = value;
        }}
      />
      <button type="submit">Give its boards no new jobs</button>
      <button type="button" onClick={() => (isAsking.value = false)}>
        Leave it
      </button>
      {said}
    </form>
  );
}
