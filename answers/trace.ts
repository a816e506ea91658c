/** What caused an event, back to the request that began it, and what came of it; across streams, as far as those are known. */
import type { AnyEvent, JobEvent, RecordedEvent } from '../machines/events.ts';
import { narrator } from '../projections/timeline.ts';
import { iso } from '../projections/views.ts';
import type { Evidence } from './evidence.ts';
import { AnswerRefused } from './refused.ts';
import type { TracedEvent, TraceNode, TraceView } from './views.ts';

/** Effects that one answer tells: a send may release thousands; and causes: a long conversation is one chain. */
const EFFECTS_MAX = 500;
const CAUSES_MAX = 500;

type Event = RecordedEvent<AnyEvent>;

/** Why one event follows another. */
type How = TraceNode['how'];
interface Cause {
  event: Event;
  how: How;
}

/** All events of a job and of what belongs to it, with what caused what. */
class Causes {
  readonly #byId = new Map<string, Event>();
  readonly #waits = new Map<string, Event>();
  readonly #causes = new Map<string, Cause>();
  readonly #effects = new Map<string, Cause[]>();
  /** By the request that caused them directly. */
  readonly #requests = new Map<string, Event[]>();

  constructor({ events, related = [] }: Evidence) {
    const all = [...events, ...related].sort((a, b) => a.position - b.position);
    const heard = new Map<string, Event>();
    for (const event of all) {
      this.#byId.set(event.id, event);
      const { causationId } = event.meta;
      if (!this.#byId.has(causationId)) {
        const together = this.#requests.get(causationId);
        if (together === undefined) this.#requests.set(causationId, [event]);
        else together.push(event);
      }
      const cause = this.#causeOf(event, heard);
      if (cause !== undefined) this.#link(event, cause);
      if (event.type === 'WaitStarted') this.#waits.set(waitKey(event) ?? '', event);
      if (event.type === 'WaitReleased') heard.set(`${event.stream} ${event.data.member}`, event);
    }
  }

  #causeOf(event: Event, heard: ReadonlyMap<string, Event>): Cause | undefined {
    const direct = this.#byId.get(event.meta.causationId);
    if (direct !== undefined) return { event: direct, how: 'caused' };
    const { member } = event.data as { member?: string };
    const begun = this.#begun(event);
    if (begun !== undefined) return { event: begun, how: 'ends' };
    // What a script does next is because of what it heard last.
    const last = member === undefined ? undefined : heard.get(`${event.stream} ${member}`);
    return last !== undefined && OWN_DOING.has(event.type)
      ? { event: last, how: 'after' }
      : undefined;
  }

  /** The beginning of the wait that it ends, or says something of. */
  #begun(event: Event): Event | undefined {
    if (event.type === 'WaitStarted') return undefined;
    const key = waitKey(event);
    return key === undefined ? undefined : this.#waits.get(key);
  }

  #link(event: Event, cause: Cause): void {
    this.#causes.set(event.id, cause);
    const effects = this.#effects.get(cause.event.id) ?? [];
    effects.push({ event, how: cause.how });
    this.#effects.set(cause.event.id, effects);
  }

  /** The nearest first, and the event with which the chain of them begins. */
  causesOf(event: Event): { causes: TraceNode[]; root: Event; isCut: boolean } {
    const causes: TraceNode[] = [];
    let root = event;
    let isCut = false;
    for (let at = this.#causes.get(event.id); at !== undefined; at = this.#causes.get(root.id)) {
      if (causes.length < CAUSES_MAX)
        causes.push({ how: at.how, event: this.told(at.event), effects: [] });
      else isCut = true;
      root = at.event;
    }
    return { causes, root, isCut };
  }

  effectsOf(event: Event, room: { left: number }): TraceNode[] {
    const out: TraceNode[] = [];
    for (const { event: effect, how } of this.#effects.get(event.id) ?? []) {
      if (room.left === 0) break;
      room.left--;
      out.push({ how, event: this.told(effect), effects: this.effectsOf(effect, room) });
    }
    return out;
  }

  /** What the same request caused beside this one. */
  besides(event: Event): TracedEvent[] {
    const together = this.#requests.get(event.meta.causationId) ?? [];
    return together.filter((other) => other !== event).map((other) => this.told(other));
  }

  isRequested(event: Event): boolean {
    return !this.#byId.has(event.meta.causationId);
  }

  /** A sentence is made for those alone that are told of: it needs no more than the beginning of its wait. */
  told(event: Event): TracedEvent {
    const { stream, version, type, meta } = event;
    const say = narrator();
    const begun = this.#begun(event);
    if (begun !== undefined) say(begun);
    const [says = type] = say(event).lines;
    return { stream, event: version, at: iso(meta.at), type, says };
  }
}

function waitKey(event: Event): string | undefined {
  const { wait } = event.data as { wait?: number };
  return wait === undefined ? undefined : `${event.stream} ${wait}`;
}

/** What a script or a board does by itself. */
const OWN_DOING: ReadonlySet<string> = new Set<JobEvent['type']>([
  'MessageSent',
  'WaitStarted',
  'RequestRefused',
  'ScriptEnded',
  'ActionEnded',
  'MemberFailed',
]);

/** @throws AnswerRefused `no-such-event`, `unreadable-event` */
export function traceOf(evidence: Evidence, version: number): TraceView {
  const event = eventOf(evidence, version);
  const causes = new Causes(evidence);
  const { causes: chain, root, isCut } = causes.causesOf(event);
  const room = { left: EFFECTS_MAX };
  const effects = causes.effectsOf(event, room);
  return {
    id: evidence.job,
    event: causes.told(event),
    causes: chain,
    request: {
      actor: root.meta.actor,
      cause: root.meta.causationId,
      ...(root.meta.key !== undefined && { key: root.meta.key }),
      also: causes.besides(root),
    },
    effects,
    cut: isCut || room.left === 0,
    otherStreams: evidence.related !== undefined,
  };
}

/** By its version: where one is missing before it, it does not stand at its place. */
function eventOf({ job, events }: Evidence, version: number): Event {
  const event = events.find((one) => one.version === version);
  if (event !== undefined) return event;
  const last = events.at(-1)?.version ?? 0;
  if (version >= 1 && version < last)
    throw new AnswerRefused('unreadable-event', `event ${version} of job ${job} is missing`);
  throw new AnswerRefused(
    'no-such-event',
    `there is no event ${version}: job ${job} has ${last}, numbered from 1`,
  );
}
