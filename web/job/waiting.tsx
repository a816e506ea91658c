/** Why a job waits: its place in the queue, by when it starts at the latest, and what keeps each board that it could have. */
import { useEffect } from 'preact/hooks';
import type { WhyView } from '../api/types.ts';
import { useAsked } from '../ui/asked.ts';
import { At, Badge, boardLink, plural, Section } from '../ui/parts.tsx';

const EVERY_MS = 2_000;
const BOARDS_LISTED_MAX = 24;

type Slot = WhyView['slots'][number];

export function Waiting({ id, count }: { id: number; count: number }) {
  const { answer, again } = useAsked<WhyView>(`/api/jobs/${id}/why`, count);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && again(), EVERY_MS);
    return () => clearInterval(timer);
  }, [id]);
  const why = answer.value;
  // It has boards in a moment, or had them before the question came: its events say so.
  if (why === undefined) return <p class="empty">This job has no boards yet.</p>;
  return (
    <Section title="Waits for boards" count={`place ${why.place} in the queue`} class="why-waits">
      <p class="reason">{why.reason}</p>
      {why.guaranteedStart !== null && (
        <p>
          It starts by <At at={why.guaranteedStart} /> at the latest: by then timeouts have ended
          what holds its boards.
        </p>
      )}
      {why.slots.map((slot) => (
        <SlotOf key={slot.role} slot={slot} />
      ))}
    </Section>
  );
}

function SlotOf({ slot }: { slot: Slot }) {
  const { role, wanted, free, short, candidates, tags } = slot;
  const of = slot.device === undefined ? `type ${slot.deviceType}` : `the board ${slot.device}`;
  // What is free is no reason to wait.
  const listed = [...candidates].sort(
    (a, b) => Number(a.why === 'free') - Number(b.why === 'free'),
  );
  return (
    <>
      <h3>
        {role}{' '}
        <Badge tone={short > 0 ? 'warn' : 'good'}>{short > 0 ? `${short} short` : 'enough'}</Badge>{' '}
        <span class="soft">
          wants {wanted} of {of}
          {tags.length > 0 && `, tags ${tags.join(' ')}`}; {free} free of{' '}
          {plural(candidates.length, 'board')}
        </span>
      </h3>
      <ul class="candidates">
        {listed.slice(0, BOARDS_LISTED_MAX).map(({ board, why, until }) => (
          <li key={board}>
            <a href={boardLink(board)}>{board}</a> {why}
            {until !== undefined && (
              <span class="soft">
                , until <At at={until} /> at the latest
              </span>
            )}
          </li>
        ))}
        {listed.length > BOARDS_LISTED_MAX && (
          <li class="soft">and {plural(listed.length - BOARDS_LISTED_MAX, 'more board')}</li>
        )}
      </ul>
    </>
  );
}
