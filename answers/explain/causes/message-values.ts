/** Keys that a member read of a message, beside those that came with it. */
import { type Call, counted, isSend, type Member, wordsOf } from '../facts.ts';
import { failureAfter } from '../failure-after.ts';
import { certainty } from '../graphs.ts';
import { type KeysRead, keysRead, readingPlace } from '../keys-read.ts';
import type { Finding, Situation } from '../situation.ts';
import { culpritOf, placed } from '../situation.ts';
import { callStep, found, nearest, who } from '../words.ts';

export interface LackedKey {
  readonly wait: Call;
  readonly send: Call;
  readonly key: string;
  /** The key that came in its place. */
  readonly instead: string | undefined;
  /** It came, but not as it is looked for: behind `lava-wait-all` the sender's name stands before it. */
  readonly isBehindName: boolean;
  /** Another who sends the message with it, and whom the wait did not wait for. */
  readonly other: Member | undefined;
  readonly hurt: { text: string; event: number };
}

/** Of each member that failed after a message: a key that it reads and that did not come. */
export const lackedKeys = (situation: Situation): LackedKey[] =>
  situation.group.members.flatMap((member) => lackedBy(situation, member) ?? []);

function lackedBy(situation: Situation, member: Member): LackedKey | undefined {
  const all = member.calls.filter(
    (call) => (call.verb === 'wait' || call.verb === 'wait-all') && call.end?.how === 'released',
  );
  const waits = all.slice(-WAITS_LOOKED_AT);
  const [first] = waits;
  if (first === undefined || failureAfter(situation, first) === undefined) return undefined;
  const keys = keysRead(situation, member);
  if (keys.read.length === 0) return undefined;
  for (const wait of waits.toReversed()) {
    const hurt = failureAfter(situation, wait);
    if (hurt === undefined) continue;
    const elsewhere = waits
      .filter((other) => other !== wait)
      .flatMap((other) => sendsHeard(situation, other));
    const lack = lackOf(situation, wait, keys, new Set(elsewhere.flatMap(keysOf)));
    if (lack !== undefined) return { ...lack, wait, hurt };
  }
  return undefined;
}

/** The cache file holds what the last one left. */
const WAITS_LOOKED_AT = 40;

const keysOf = ({ pairs }: Call): string[] => pairs.map(([key]) => key);

function lackOf(
  situation: Situation,
  wait: Call,
  { read, known, atStart }: KeysRead,
  elsewhere: ReadonlySet<string>,
): Pick<LackedKey, 'send' | 'key' | 'instead' | 'isBehindName' | 'other'> | undefined {
  const sends = sendsHeard(situation, wait);
  const [last] = sends.slice(-1);
  if (last === undefined) return undefined;
  const came = new Map(sends.flatMap(({ pairs }) => pairs));
  const none = { instead: undefined, isBehindName: false, other: undefined };
  const lacked = read.filter((key) => (came.get(key) ?? '') === '' && !elsewhere.has(key));
  const [key] = lacked;
  if (key === undefined) {
    const hidden =
      wait.verb === 'wait-all' ? read.find((one) => atStart.has(one) && came.has(one)) : undefined;
    const send = sends.find((one) => keysOf(one).includes(hidden ?? ''));
    return hidden === undefined || send === undefined
      ? undefined
      : { ...none, send, key: hidden, isBehindName: true };
  }
  const unread = [...came.keys()].filter((one) => !known.has(one));
  const near = came.has(key) ? undefined : (networkKey(wait, key) ?? nearest(key, unread));
  const isOnly = unread.length === 1 && lacked.length === 1 && !came.has(key);
  const only =
    isOnly && !sends.some((send) => saysKey(situation, send, key)) ? unread[0] : undefined;
  const other = wait.verb === 'wait' ? otherSender(situation, wait, key) : undefined;
  const instead = other === undefined ? (near ?? only) : undefined;
  return { ...none, send: senderOf(sends, key, instead) ?? last, key, instead, other };
}

/** What `lava-network broadcast` sends, it sends under these names, whatever a query asks for. */
function networkKey({ message }: Call, key: string): string | undefined {
  if (message !== 'network_info' || NETWORK_KEYS.includes(key)) return undefined;
  return /^(?:hw|ether|ll|mac)/i.test(key) ? 'mac' : nearest(key, NETWORK_KEYS);
}
const NETWORK_KEYS = [
  ...['ipv4', 'netmask', 'broadcast', 'ipv6', 'mac', 'hostname', 'hostname-full'],
  ...['default-gateway', 'dns_1', 'dns_2', 'dns_3'],
];

/** The line of a send has the key, and left it out this time: `${ip:+ip=$ip}`; or its program does: `facts["ip"] = ip`. */
function saysKey(situation: Situation, send: Call, key: string): boolean {
  const place = situation.placeOf(send);
  const plain = key.replaceAll('.', '\\.');
  const lines = situation.places
    .suitesOf(send.member.device)
    .flatMap((source) => situation.places.linesOf(source, place?.file ?? ''));
  return (
    new RegExp(`(?<![\\w.-])${plain}=`).test(place?.text ?? '') ||
    lines.some((line) => new RegExp(`[[{(]\\s*["']${plain}["']\\s*[\\]},)]`).test(line))
  );
}

/** Who sends the same message with the key, but was not heard: it came later, or would have. */
function otherSender(situation: Situation, wait: Call, key: string): Member | undefined {
  const heard = new Set(sendsHeard(situation, wait).map(({ member }) => member));
  return counted(situation.group, wait).find((member) => {
    if (heard.has(member) || member === wait.member) return false;
    const sent = member.calls.find((call) => isSend(call) && call.message === wait.message);
    if (sent !== undefined) return keysOf(sent).includes(key);
    return situation.graphs
      .of(member)
      ?.sites.some(
        ({ verb, id, pairs }) =>
          verb === 'send' &&
          (certainty(id, wait.message) ?? 0) > 0 &&
          pairs.some(([name]) => (certainty(name, key) ?? 0) > 0),
      );
  });
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
  const { wait, send, key, instead, hurt, isBehindName } = lack;
  const what = whatOf(lack);
  const isReaders = isBehindName || networkKey(wait, key) !== undefined;
  const reads = isReaders ? readingPlace(situation, wait.member, key) : undefined;
  return found({
    kind,
    culprit: isReaders
      ? { ...culpritOf(situation, wait), ...placed(reads) }
      : culpritOf(situation, send),
    missing: [],
    first: { member: send.member, version: send.version },
    steps: [
      callStep(
        situation,
        send,
        `${who(send.member)} calls ${wordsOf(send)}${isBehindName ? '' : `: ${what}`}`,
      ),
      callStep(situation, wait, `${who(wait.member)} reads ${key} after ${wordsOf(wait)}`),
      hurt,
    ],
    summary: `${who(wait.member)} reads ${key} of message ${send.message}, and ${what} (${who(send.member)})`,
    advice: [
      isBehindName
        ? `look for NAME:${key}=, as lava-wait-all writes it`
        : instead === undefined
          ? `send it with its value: lava-send ${send.message} ${key}=...`
          : `use one name: ${key} or ${instead}`,
    ],
  });
}

function whatOf({ send, key, instead, isBehindName }: LackedKey): string {
  if (isBehindName) return `it stands there as ${send.member.device}:${key}`;
  if (instead !== undefined) return `${key} is called ${instead} in it`;
  const isEmpty = send.pairs.some(([name, value]) => name === key && value === '');
  return isEmpty ? `${key} is empty in it` : `there is no ${key} in it`;
}
