/** Why a job ended as it did, on top of it: the first cause, who has to mend what, and the chain with its evidence. */
import { useEffect } from 'preact/hooks';
import type { Culprit, Evidence, Explanation as ExplanationOf, Step } from '../api/types.ts';
import { useAsked } from '../ui/asked.ts';
import { setQuery } from '../ui/router.ts';
import type { JobPage } from './job-state.ts';

/** What went well is not explained. */
const NOTHING = new Set(['nothing-failed']);

export function Explanation({ page }: { page: JobPage }) {
  const { answer, trouble } = useAsked<ExplanationOf>(`/api/jobs/${page.id}/explanation`);
  const is = answer.value;
  useEffect(() => {
    page.culprit.value = is?.culprit ?? undefined;
  }, [is]);
  if (trouble.value !== '')
    return <p class="explanation soft">It cannot be explained now: {trouble.value}</p>;
  if (is === undefined) return <p class="explanation soft">Looking for the cause…</p>;
  if (NOTHING.has(is.kind)) return null;
  const [, ...others] = is.ranked;
  return (
    <section class="explanation" aria-label="Why it ended so">
      <p class="explained">
        <b>{is.summary}</b> <span class="kind">{is.kind}</span>
      </p>
      {is.culprit !== null && <Line page={page} culprit={is.culprit} />}
      {is.chain.length > 0 && (
        <ol class="chain">
          {is.chain.map((step, n) => (
            <ChainStep key={`${n} ${step.text}`} page={page} step={step} />
          ))}
        </ol>
      )}
      {is.advice.map((line) => (
        <p key={line} class="advice">
          {line}
        </p>
      ))}
      {(others.length > 0 || is.unseen.length > 0) && (
        <details>
          <summary>
            {others.length > 0
              ? `What else would fit: ${others.length}`
              : 'What the answer could not see'}
          </summary>
          <ul>
            {others.map((cause) => (
              <li key={`${cause.kind} ${cause.summary}`}>
                {cause.summary} <span class="kind">{cause.kind}</span>{' '}
                <Evidences page={page} evidence={cause.evidence} />{' '}
                <span class="soft">{cause.because}</span>
              </li>
            ))}
            {is.unseen.map((line) => (
              <li key={line} class="soft">
                {line}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

/** The line that did it, with the way to its file. */
function Line({ page, culprit }: { page: JobPage; culprit: Culprit }) {
  const { device, role, file, line, text } = culprit;
  return (
    <p class="culprit">
      <button type="button" class="link" onClick={() => page.choose(page.fold.laneNamed(device))}>
        {device}
      </button>{' '}
      <span class="soft">{role}</span>{' '}
      {file !== undefined && (
        <button
          type="button"
          class="link"
          onClick={() => setQuery({ tab: 'sources', device, file, line: line?.toString() })}
        >
          {file}
          {line !== undefined && `:${line}`}
        </button>
      )}{' '}
      {text !== undefined && <code>{text.trim()}</code>}
    </p>
  );
}

export function toConsole(device: string, offset: number): void {
  setQuery({ tab: 'console', device, byte: String(offset) });
}

function ChainStep({ page, step }: { page: JobPage; step: Step }) {
  const { text, event, device, said, offset } = step;
  return (
    <li>
      {event === undefined ? (
        text
      ) : (
        <button type="button" class="link" onClick={() => page.stand(event - 1)}>
          <span class="soft">{event}</span> {text}
        </button>
      )}
      {said !== undefined && (
        <>
          {' '}
          {device !== undefined && offset !== undefined ? (
            <button type="button" class="link" onClick={() => toConsole(device, offset)}>
              <code>{said}</code>
            </button>
          ) : (
            <code>{said}</code>
          )}
        </>
      )}
    </li>
  );
}

function Evidences({ page, evidence }: { page: JobPage; evidence: readonly Evidence[] }) {
  return (
    <>
      {evidence.slice(0, 4).map((is) =>
        'event' in is ? (
          <button
            key={`event ${is.event}`}
            type="button"
            class="link"
            onClick={() => page.stand(is.event - 1)}
          >
            event {is.event}
          </button>
        ) : (
          <button
            key={`${is.device} ${is.offset}`}
            type="button"
            class="link"
            onClick={() => toConsole(is.device, is.offset)}
          >
            console of {is.device}
          </button>
        ),
      )}
    </>
  );
}
