/** Waits for an id that their member had heard before: a message stays, so that they are over at once. */
import { type Call, isSend } from '../facts.ts';
import { failureAfter } from '../failure-after.ts';
import type { Situation } from '../situation.ts';

export interface StaleWait {
  readonly wait: Call;
  /** What released it, as it had released the same wait before. */
  readonly old: Call;
  /** What was meant, and came too late. */
  readonly next: Call;
  readonly hurt: { text: string; event: number };
}

/** Of each member that failed after one, where the same sender said more of it later. */
export const staleWaits = (situation: Situation): StaleWait[] =>
  situation.group.members.flatMap(({ calls }) => {
    const waits = calls.filter(
      ({ verb, end }) => (verb === 'wait' || verb === 'wait-all') && end?.how === 'released',
    );
    return waits.slice(-WAITS_LOOKED_AT).flatMap((wait) => staleWait(situation, wait, waits) ?? []);
  });

/** What is long ago, and went well, is not what hurts now. */
const WAITS_LOOKED_AT = 40;

function staleWait(
  situation: Situation,
  wait: Call,
  waits: readonly Call[],
): StaleWait | undefined {
  const first = waits.find(({ message }) => message === wait.message);
  const hurt = failureAfter(situation, wait);
  if (first === undefined || first === wait || hurt === undefined) return undefined;
  const over = wait.end?.version ?? 0;
  const sends = (situation.group.byMessage.get(wait.message) ?? []).filter(
    (call) => isSend(call) && call.member !== wait.member,
  );
  const old = sends.findLast(({ version }) => version <= over);
  if (old === undefined || old.version > (first.end?.version ?? 0)) return undefined;
  const next = sends.find(({ member, version }) => member === old.member && version > over);
  return next === undefined ? undefined : { wait, old, next, hurt };
}
