/** What caused an event, back to the request that began it, and what came of it; across streams, as far as those are known. */
import type { AnyEvent, JobEvent, RecordedEvent } from '../machines/events.ts';
import { narrator } from '../projections/timeline.ts';
import { iso } from '../projections/views.ts';
import type { Evidence } from './evidence.ts';
import { AnswerRefused } from './refused.ts';
import type { TracedEvent, TraceNode, TraceView } from './views.ts';

/** Effects that one answer tells: a send may release thousands. */
const EFFECTS_MAX = 500;

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
  readonly #says = new Map<string, string>();
  readonly #causes = new Map<string, Cause>();
  readonly #effects = new Map<string, Cause[]>();
  /** By the request that caused them directly. */
  readonly #requests = new Map<string, Event[]>();

  constructor({ events, related = [] }: Evidence) {
    const all = [...events, ...related].sort((a, b) => a.position - b.position);
    const say = narrator();
    const waits = new Map<string, Event>();
    const heard = new Map<string, Event>();
    for (const event of all) {
      this.#byId.set(event.id, event);
      const [says = event.type] = say(event).lines;
      this.#says.set(event.id, says);
      const { causationId } = event.meta;
      if (!this.#byId.has(causationId)) {
        const together = this.#requests.get(causationId);
        if (together === undefined) this.#requests.set(causationId, [event]);
        else together.push(event);
      }
      const cause = this.#causeOf(event, waits, heard);
      if (cause !== undefined) this.#link(event, cause);
      this.#remember(event, waits, heard);
    }
  }

  #causeOf(
    event: Event,
    waits: ReadonlyMap<string, Event>,
    heard: ReadonlyMap<string, Event>,
  ): Cause | undefined {
    const direct = this.#byId.get(event.meta.causationId);
    if (direct !== undefined) return { event: direct, how: 'caused' };
    const { wait, member } = event.data as { wait?: number; member?: string };
    const begun = wait === undefined ? undefined : waits.get(`${event.stream} ${wait}`);
    if (begun !== undefined && event.type !== 'WaitStarted') return { event: begun, how: 'ends' };
    // What a script does next is because of what it heard last.
    const last = member === undefined ? undefined : heard.get(`${event.stream} ${member}`);
    return last !== undefined && OWN_DOING.has(event.type)
      ? { event: last, how: 'after' }
      : undefined;
  }

  #remember(event: Event, waits: Map<string, Event>, heard: Map<string, Event>): void {
    if (event.type === 'WaitStarted') waits.set(`${event.stream} ${event.data.wait}`, event);
    if (event.type === 'WaitReleased') heard.set(`${event.stream} ${event.data.member}`, event);
  }

  #link(event: Event, cause: Cause): void {
    this.#causes.set(event.id, cause);
    const effects = this.#effects.get(cause.event.id) ?? [];
    effects.push({ event, how: cause.how });
    this.#effects.set(cause.event.id, effects);
  }

  /** The nearest first. */
  causesOf(event: Event): TraceNode[] {
    const out: TraceNode[] = [];
    let at = this.#causes.get(event.id);
    while (at !== undefined) {
      out.push({ how: at.how, event: this.told(at.event), effects: [] });
      at = this.#causes.get(at.event.id);
    }
    return out;
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

  told({ id, stream, version, type, meta }: Event): TracedEvent {
    return { stream, event: version, at: iso(meta.at), type, says: this.#says.get(id) ?? type };
  }
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

/** @throws AnswerRefused `no-such-event` */
export function traceOf(evidence: Evidence, version: number): TraceView {
  const event = evidence.events[version - 1];
  if (event === undefined)
    throw new AnswerRefused(
      'no-such-event',
      `there is no event ${version}: job ${evidence.job} has ${evidence.events.length}, numbered from 1`,
    );
  const causes = new Causes(evidence);
  const chain = causes.causesOf(event);
  const root = rootOf(evidence, event, chain);
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
    cut: room.left === 0,
    otherStreams: evidence.related !== undefined,
  };
}

/** The event with which the chain of causes begins. */
function rootOf(
  { events, related = [] }: Evidence,
  event: Event,
  chain: readonly TraceNode[],
): Event {
  const last = chain.at(-1)?.event;
  if (last === undefined) return event;
  const is = (other: Event) => other.stream === last.stream && other.version === last.event;
  return events.find(is) ?? related.find(is) ?? event;
}
