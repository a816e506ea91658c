/**
 * Who sent what, who waits for whom, and what met where: the sends, waits and barriers of a fold, and the arrows between
 * them. Pure.
 */
import type { RecordedEvent } from '../api/types.ts';
import { type Arrow, type Barrier, OPEN, type Sent, type WaitSpan } from './spans.ts';

const OUTCOMES = {
  WaitReleased: 'released',
  WaitTimedOut: 'timedOut',
  WaitUnreachable: 'unreachable',
  WaitAbandoned: 'abandoned',
} as const;

type Of<Type extends RecordedEvent['type']> = Extract<RecordedEvent, { type: Type }>;
type Ended = Of<keyof typeof OUTCOMES>;

export class Meetings {
  readonly arrows: Arrow[] = [];
  readonly barriers: Barrier[] = [];
  /** By message id. */
  readonly sends = new Map<string, Sent[]>();
  readonly waits = new Map<number, WaitSpan>();
  readonly #barriers = new Map<string, Barrier>();
  /** By message id and lane: the event of each send, by its count less one. */
  readonly #sentBy = new Map<string, number[][]>();

  send({ message, count, pairs }: Of<'MessageSent'>['data'], at: number, lane: number): void {
    const list = this.sends.get(message) ?? [];
    if (list.push({ at, lane, count, pairs }) === 1) this.sends.set(message, list);
    this.#sent(message, lane, count, at);
  }

  wait(data: Of<'WaitStarted'>['data'], from: number, lane: number): WaitSpan {
    const { wait, verb, message, round, role, missing } = data;
    const barrier = this.#barrierOf(verb, message, verb === 'sync' ? round : 1, role);
    const label = verbText({ verb, message, role, round });
    const span: WaitSpan = {
      ...{ from, to: OPEN, label, wait, verb, message, round, role, lane, missing, barrier },
      ...{ outcome: 'open', by: undefined, stuck: [], file: fileOf(data) },
    };
    this.waits.set(wait, span);
    barrier.waits.push(span);
    return span;
  }

  stick({ wait, form }: Of<'WaitStuck'>['data'], at: number): void {
    this.waits.get(wait)?.stuck.push({ from: at, to: OPEN, label: form });
  }

  unstick({ wait }: Of<'WaitUnstuck'>['data'], at: number): void {
    const last = this.waits.get(wait)?.stuck.at(-1);
    if (last !== undefined) last.to = at;
  }

  /**
   * @param lane of the member that waited
   * @param by the lane of the one that released it; -1: nobody had to
   * @returns the event that released it, on whatever lane
   */
  end(event: Ended, at: number, lane: number, by: number): number | undefined {
    const span = this.waits.get(event.data.wait);
    if (span === undefined) return undefined;
    span.to = at;
    span.outcome = OUTCOMES[event.type];
    const stuck = span.stuck.at(-1);
    if (stuck?.to === OPEN) stuck.to = at;
    if (!isHeard(event)) span.file = undefined;
    if (event.type !== 'WaitReleased') return undefined;
    span.by = event.data.by;
    if (span.barrier.opened === OPEN) {
      span.barrier.opened = at;
      span.barrier.last = span.by;
    }
    const from = this.#sentBy.get(span.message)?.[by]?.at(-1);
    if (from !== undefined && by !== lane)
      this.arrows.push({ from, to: at, fromLane: by, toLane: lane });
    return from;
  }

  /** The event with which a lane had sent a message so often; `undefined`: it has not. */
  sendOf(message: string, lane: number, count: number): number | undefined {
    return this.#sentBy.get(message)?.[lane]?.[count - 1];
  }

  #sent(message: string, lane: number, count: number, at: number): void {
    const lanes = this.#sentBy.get(message) ?? [];
    this.#sentBy.set(message, lanes);
    let own = lanes[lane];
    if (own === undefined) {
      own = [];
      lanes[lane] = own;
    }
    own[count - 1] = at;
  }

  #barrierOf(
    verb: WaitSpan['verb'],
    message: string,
    round: number,
    role: string | undefined,
  ): Barrier {
    const key = [verb, message, round, role ?? ''].join('\0');
    const known = this.#barriers.get(key);
    if (known !== undefined) return known;
    const made = { key, verb, message, round, role, waits: [], opened: OPEN, last: undefined };
    this.#barriers.set(key, made);
    this.barriers.push(made);
    return made;
  }
}

/** A sync leaves the cache file alone; `lava-network collect` is a `lava-wait-all` with a file of its own. */
function fileOf({ verb, message, from }: Of<'WaitStarted'>['data']): WaitSpan['file'] {
  if (verb === 'sync') return undefined;
  if (verb !== 'wait-all' || message !== 'network_info') return 'cache';
  const isCollect = from === undefined || from.some(({ argv }) => argv.some(isNetworkScript));
  return isCollect ? 'network' : 'cache';
}
const isNetworkScript = (word: string): boolean => /(?:^|\/)lava-network$/.test(word);

/** Whether the board heard how its wait ended: else the connection is gone, or its shell ended with the wait. */
function isHeard({ type, data }: Ended): boolean {
  if (type === 'WaitAbandoned') return data.why === 'verb-ended';
  return type !== 'WaitTimedOut' || data.limit === 'protocol';
}

/** A wait as its board typed it; of a sync that comes again the round. */
export function verbText(is: {
  verb: string;
  message: string;
  role?: string | undefined;
  round?: number;
}): string {
  const round = is.verb === 'sync' && (is.round ?? 1) > 1 ? ` (round ${is.round})` : '';
  return `lava-${is.verb} ${is.message}${is.role === undefined ? '' : ` ${is.role}`}${round}`;
}
