/** The boards' verbs: each call is one command, and a wait is held until the log says how it ended. */

import { Rejected } from '../machines/deciding.ts';
import type { Callers, JobEvent, RecordedEvent, Verb } from '../machines/events.ts';
import { openWait } from '../machines/job/conversation.ts';
import { evolveJob, initialJob, type JobState, memberOf } from '../machines/job/job.ts';
import { isTerminal } from '../machines/job/member.ts';
import { jobOf, jobStream } from '../machines/names.ts';
import type { EventStore } from '../store/port.ts';
import type { CallEnd, WaitEnd } from '../wire/board-answers.ts';
import type { Clock } from './clock.ts';
import { CommandRefused, type Step } from './live-stream.ts';
import { type Commands, memberKey } from './stream-commands.ts';
import type { Streams } from './streams.ts';
import { isWaitEnd, waitEnd } from './wait-end.ts';
import { type Asked, Waiters } from './waiters.ts';

/** Who says it: the board's key, how much its console had printed, and who called it there. */
export interface CalledBy {
  key: string;
  console?: number;
  from?: Callers;
}

export interface CallsPort {
  store: EventStore;
  streams: Streams;
  clock: Clock;
  /** Whether other servers may hold the connections of boards too. */
  shared: boolean;
  commands: Commands;
  warn(what: string, error?: unknown): void;
}

export class Calls {
  readonly #port: CallsPort;
  readonly #waiters: Waiters;
  /** Ends of waits that began in the same append, until their callers, who are answered next, take them. */
  readonly #endedAtOnce = new Map<string, ReadonlyMap<number, WaitEnd>>();

  constructor(port: CallsPort) {
    this.#port = port;
    this.#waiters = new Waiters(port.clock, (stream, wait) => void this.#giveUp(stream, wait));
  }

  get heldWaits(): number {
    return this.#waiters.count;
  }

  /** Boards can come back to their waits from now on. */
  open(): void {
    this.#waiters.open();
  }

  stop(): void {
    this.#waiters.stop();
  }

  /**
   * The waits of a job that were open when this server started, or the line of their worker broke: their boards are
   * expected back, those that have a way here. Where several servers share the log they may be on the line elsewhere, and
   * only the one that held a wait last gives it up.
   */
  expect(id: number, job: JobState, canCome: (device: string) => boolean): void {
    if (this.#port.shared) return;
    for (const { wait, member } of job.conversation.waits.flat())
      if (canCome(job.members[member]?.device ?? '')) this.#waiters.expect(jobStream(id), wait);
  }

  /** See `Engine.call`. */
  async call(
    id: number,
    device: string,
    verb: Verb,
    words: string[],
    { from, ...by }: CalledBy,
    signal: AbortSignal,
  ): Promise<CallEnd | undefined> {
    const said = { type: 'CallVerb', member: device, verb, words } as const;
    const command = from === undefined ? said : { ...said, from };
    const { events, repeated, state } = await this.#port.commands.job(id, command, {
      actor: `board:${device}`,
      ...by,
    });
    if (repeated && hasEnded(state, device))
      throw new CommandRefused(new Rejected('member-ended', `${device} has ended`));
    for (const event of events) {
      if (event.type === 'RequestRefused') return { status: 'refused', reason: event.data.reason };
      if (event.type === 'WaitStarted') return this.#hold(id, event.data, repeated, signal);
    }
    return { status: 'ok', lines: [] };
  }

  /** See `Engine.abandon`. */
  async abandon(id: number, device: string, key: string): Promise<void> {
    const { store, streams, commands } = this.#port;
    const job = streams.job(id);
    await job.load();
    const version = job.versionOfKey(memberKey(device, key));
    if (version === undefined) return;
    for await (const event of store.read(jobStream(id), version - 1)) {
      if (event.type === 'RequestRefused') return;
      if (event.type !== 'WaitStarted') continue;
      const { wait } = event.data;
      const command = { type: 'AbandonWait', member: device, wait, why: 'verb-ended' } as const;
      await commands.job(id, command, { actor: `board:${device}` });
      return;
    }
  }

  /** What a job's new events say to whoever is on the line. */
  answer(id: number, steps: readonly Step<JobState, JobEvent>[]): void {
    const stream = jobStream(id);
    const begun = new Map<number, Asked>();
    const after = steps.at(-1)?.state ?? initialJob;
    const endedAtOnce = new Map<number, WaitEnd>();
    for (const { event, state } of steps) {
      if (event.type === 'WaitStarted') begun.set(event.data.wait, event.data);
      if (event.type === 'WaitResumed') this.#waiters.leave(stream, event.data.wait);
      if (!isWaitEnd(event)) continue;
      const { wait } = event.data;
      const asked = begun.get(wait);
      if (asked !== undefined) endedAtOnce.set(wait, waitEnd(state, asked, event));
      this.#waiters.end(stream, wait, (held) =>
        hasEnded(after, held.member) ? undefined : waitEnd(state, held, event),
      );
    }
    if (endedAtOnce.size > 0) this.#endedAtOnce.set(stream, endedAtOnce);
    else this.#endedAtOnce.delete(stream);
  }

  async #hold(
    id: number,
    asked: Asked,
    repeated: boolean,
    signal: AbortSignal,
  ): Promise<WaitEnd | undefined> {
    const { streams, shared } = this.#port;
    const stream = jobStream(id);
    const ended = this.#endedAtOnce.get(stream)?.get(asked.wait);
    if (ended !== undefined) return ended;
    const { member, wait } = asked;
    const isOpen = () => openWait(streams.job(id).state.conversation, wait) !== undefined;
    if (repeated && shared && isOpen() && !this.#waiters.knows(stream, wait))
      await this.#resume(id, member, wait);
    if (!isOpen()) return this.#readEnd(id, asked);
    streams.job(id).stays();
    return this.#waiters.hold(stream, asked, signal);
  }

  /** The board is on the line here now. Its member or its job may have ended meanwhile: so has the wait, then. */
  async #resume(id: number, member: string, wait: number): Promise<void> {
    try {
      const by = { actor: `board:${member}` };
      await this.#port.commands.job(id, { type: 'ResumeWait', member, wait }, by);
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
    }
  }

  /** How a wait ended, from the log. */
  async #readEnd(id: number, asked: Asked): Promise<WaitEnd | undefined> {
    let state = initialJob;
    for await (const recorded of this.#port.store.read(jobStream(id))) {
      const event = recorded as RecordedEvent<JobEvent>;
      state = evolveJob(state, event);
      if (isWaitEnd(event) && event.data.wait === asked.wait) return waitEnd(state, asked, event);
    }
    return undefined;
  }

  /** Nobody came back to this wait in time (SEMANTICS 2.3, "A verb that was killed"). */
  async #giveUp(stream: string, wait: number): Promise<void> {
    const { streams, commands, warn } = this.#port;
    const id = jobOf(stream);
    if (id === undefined) return;
    try {
      const job = streams.job(id);
      await job.load();
      const open = openWait(job.state.conversation, wait);
      const member = open && job.state.members[open.member]?.device;
      if (open === undefined || member === undefined) return;
      const { resumed } = open;
      const command = {
        type: 'AbandonWait',
        member,
        wait,
        why: 'connection-lost',
        resumed,
      } as const;
      await commands.job(id, command, { actor: 'engine:connections' });
    } catch (error) {
      if (error instanceof CommandRefused) return;
      warn(`a wait of ${stream} could not be given up; it is tried again`, error);
      this.#waiters.expect(stream, wait);
    }
  }
}

/** Such a member hears nothing more, whatever the end of its wait was (SEMANTICS 2.4). */
function hasEnded(job: JobState, device: string): boolean {
  const member = memberOf(job, device);
  return member !== undefined && isTerminal(member);
}
