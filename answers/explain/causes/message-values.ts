/** Keys that a member read of a message, beside those that came with it. */
import { type Call, counted, isSend, type Member, wordsOf } from '../facts.ts';
import { keysRead } from '../keys-read.ts';
import type { Finding, Situation } from '../situation.ts';
import { culpritOf } from '../situation.ts';
import { callStep, found, nearest, who } from '../words.ts';
import { failureAfter } from './race-lost.ts';

export interface LackedKey {
  readonly wait: Call;
  readonly send: Call;
  readonly key: string;
  /** The key that came in its place. */
  readonly instead: string | undefined;
  readonly hurt: { text: string; event: number };
}

/** Of each member that failed after a message: a key that it reads and that did not come. */
export const lackedKeys = (situation: Situation): LackedKey[] =>
  situation.group.members.flatMap((member) => lackedBy(situation, member) ?? []);

function lackedBy(situation: Situation, member: Member): LackedKey | undefined {
  const waits = member.calls.filter(
    (call) => (call.verb === 'wait' || call.verb === 'wait-all') && call.end?.how === 'released',
  );
  const { read: keys, known } = keysRead(situation, member);
  if (keys.length === 0) return undefined;
  for (const wait of waits.toReversed()) {
    const hurt = failureAfter(situation, wait);
    if (hurt === undefined) continue;
    const sends = sendsHeard(situation, wait);
    const [last] = sends.slice(-1);
    if (last === undefined) continue;
    const came = new Map(sends.flatMap(({ pairs }) => pairs));
    const everCame = new Set(
      waits
        .filter((other) => other !== wait)
        .flatMap((other) =>
          sendsHeard(situation, other).flatMap(({ pairs }) => pairs.map(([key]) => key)),
        ),
    );
    const lacked = keys.filter((key) => (came.get(key) ?? '') === '' && !everCame.has(key));
    const [key] = lacked;
    if (key === undefined) continue;
    const unread = [...came.keys()].filter((one) => !known.has(one));
    const near = came.has(key) ? undefined : nearest(key, unread);
    const only =
      unread.length === 1 && lacked.length === 1 && !came.has(key) ? unread[0] : undefined;
    return {
      wait,
      send: senderOf(sends, key, near ?? only) ?? last,
      key,
      instead: near ?? only,
      hurt,
    };
  }
  return undefined;
}

const senderOf = (
  sends: readonly Call[],
  key: string,
  instead: string | undefined,
): Call | undefined =>
  sends.findLast(({ pairs }) => pairs.some(([name]) => name === (instead ?? key))) ??
  sends.findLast(({ pairs }) => pairs.length === 0);

function sendsHeard({ group }: Situation, wait: Call): Call[] {
  const heard = new Set(counted(group, wait));
  const release = wait.end?.version ?? 0;
  return (group.byMessage.get(wait.message) ?? []).filter(
    (call) => isSend(call) && heard.has(call.member) && call.version <= release,
  );
}

export function tellLack(situation: Situation, lack: LackedKey, kind: Finding['kind']): Finding {
  const { wait, send, key, instead, hurt } = lack;
  const empty = send.pairs.some(([name, value]) => name === key && value === '');
  const what =
    instead === undefined
      ? empty
        ? `${key} is empty in it`
        : `there is no ${key} in it`
      : `${key} is called ${instead} in it`;
  return found({
    kind,
    culprit: culpritOf(situation, send),
    missing: [],
    first: { member: send.member, version: send.version },
    steps: [
      callStep(situation, send, `${who(send.member)} calls ${wordsOf(send)}: ${what}`),
      callStep(situation, wait, `${who(wait.member)} reads ${key} after ${wordsOf(wait)}`),
      hurt,
    ],
    summary: `${who(wait.member)} reads ${key} of message ${send.message}, and ${what} (${who(send.member)})`,
    advice: [
      instead === undefined
        ? `send it with its value: lava-send ${send.message} ${key}=...`
        : `use one name: ${key} or ${instead}`,
    ],
  });
}
