/**
 * The log of `lava-coordinator`: what all members of its groups asked, and what it answered. At the level INFO it says
 * sends, syncs and answers; who waits is said at the level DEBUG alone, and how members ended at none.
 */
import { RoleName } from '../../machines/names.ts';
import { askedOf, pairsOf, type SaidCall } from './calls-of-job.ts';
import { type GroupLog, LogRefused, type Observed, type ReadLog } from './observed.ts';
import { pythonLiteral } from './python-literal.ts';

const LINE =
  /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)[,.](\d{3})\s+(DEBUG|INFO|WARNING|ERROR|CRITICAL) (.*)$/s;

export const isCoordinatorLine = (line: string): boolean => LINE.test(line);

interface Member {
  role?: string;
  observed: Observed[];
  /** The wait that it polls for. */
  open?: { key: string };
}

interface Group {
  size?: number;
  members: Map<string, Member>;
}

/** What a member was told; `forAll`: in answer to a wait for everybody. */
interface Answer {
  id: string;
  to: string;
  where: string;
  data: string;
  forAll: string | undefined;
}

export class CoordinatorLogReader {
  readonly #file: string;
  readonly #groups = new Map<string, Group>();
  #lines = 0;
  #unreadable = 0;
  #isLastCut = false;
  #hasDebug = false;
  /** Whose request is answered next. */
  #asking: { group: string; member: string; call?: SaidCall } | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  line(raw: string): void {
    const text = raw.replace(/\r$/, '');
    if (text.trim() === '') return;
    const [, day, time, ms, level, message = ''] = LINE.exec(text) ?? [];
    const at = Date.parse(`${day}T${time}.${ms}Z`);
    this.#isLastCut = Number.isNaN(at);
    if (Number.isNaN(at)) {
      this.#unreadable++;
      return;
    }
    this.#lines++;
    this.#hasDebug ||= level === 'DEBUG';
    this.#look(message, at);
  }

  /** @throws LogRefused */
  end(): ReadLog {
    if (this.#lines === 0) throw new LogRefused('it is no log of lava-coordinator');
    const groups = [...this.#groups].map(
      ([name, { size, members }]): GroupLog => ({
        name,
        ...(size !== undefined && { size }),
        roles: new Map([...members].map(([member, { role }]) => [member, role])),
        members: [...members].map(([member, { role, observed }]) => ({
          name: member,
          ...(role !== undefined && { role }),
          observed,
          console: new Uint8Array(),
          times: '',
        })),
      }),
    );
    return { file: this.#file, kind: 'coordinator', groups, notes: this.#notes() };
  }

  #notes(): string[] {
    const notes = [
      `in which time zone the clock of ${this.#file} is: its times are taken for UTC`,
      `how members ended, and what their boards printed: ${this.#file} does not say it`,
    ];
    if (!this.#hasDebug)
      notes.push(
        `when waits began, for which role, and those that were never answered: ${this.#file} is of the level INFO`,
      );
    if (this.#isLastCut) notes.push(`${this.#file} ends in the middle of a line`);
    const torn = this.#unreadable - (this.#isLastCut ? 1 : 0);
    if (torn > 0) notes.push(`${torn} lines of ${this.#file} that cannot be read`);
    return notes;
  }

  #look(message: string, at: number): undefined {
    const [, group, size] = /^The (\S+) group will contain (\d+) nodes\.$/.exec(message) ?? [];
    if (group !== undefined) {
      this.#groupOf(group).size = Number(size);
      return;
    }
    const [, , asked] =
      /^(lava_send|lava_wait|lava_wait_all|lava_sync): (\{.*\})/s.exec(message) ?? [];
    if (asked !== undefined) return this.#asked(askedOf(pythonLiteral(asked) ?? jsonOf(asked)), at);
    const [, syncer, stage, of] =
      /^LavaSync request for '(.*)' at stage '(.*)' in group '(.*)'$/.exec(message) ?? [];
    if (syncer !== undefined && stage !== undefined && of !== undefined)
      return this.#asked(
        { verb: 'sync', message: stage, member: syncer, group: of, pairs: [] },
        at,
      );
    const [, forAll, id = '', to = '', where = '', data = ''] =
      /^Sending (wait )?messageID '(.*)' to (\S+) in group (\S+): (.*)$/s.exec(message) ?? [];
    if (to !== '') return this.#answered({ id, to, where, data, forAll }, at);
    if (message === 'Ready to accept new connections') this.#refused(at);
    return undefined;
  }

  #groupOf(name: string): Group {
    const group = this.#groups.get(name) ?? { members: new Map() };
    this.#groups.set(name, group);
    return group;
  }

  #memberOf(group: string, name: string): Member {
    const { members } = this.#groupOf(group);
    const member = members.get(name) ?? { observed: [] };
    members.set(name, member);
    return member;
  }

  #asked(call: SaidCall | undefined, at: number): undefined {
    const { member: name, group, verb, message, pairs = [], waitsFor, role } = call ?? {};
    if (name === undefined || group === undefined) return;
    const member = this.#memberOf(group, name);
    const said = RoleName.safeParse(role).data;
    if (said !== undefined) member.role = said;
    if (verb === undefined || message === undefined) return;
    const key = `${verb} ${message}`;
    // It polls: the same again is the same wait.
    if (member.open?.key !== key) {
      this.#leave(member, at);
      const forRole = waitsFor === undefined ? {} : { role: waitsFor };
      member.observed.push({ at, did: 'call', verb, message, pairs, ...forRole });
      if (verb !== 'send') member.open = { key };
    }
    this.#asking = { group, member: name, ...(call && { call }) };
  }

  /** Whoever asks for something else has left its wait: why, is not said here. */
  #leave(member: Member, at: number): undefined {
    if (member.open !== undefined) member.observed.push({ at, did: 'hear', how: 'timed-out' });
    delete member.open;
  }

  #answered(is: Answer, at: number): undefined {
    const member = this.#memberOf(is.where, is.to);
    const verb = member.open?.key.split(' ', 1)[0];
    // At the level INFO a wait is first heard of when it is answered.
    if (member.open?.key.slice((verb ?? '').length + 1) !== is.id) {
      this.#leave(member, at);
      member.observed.push({
        at,
        did: 'call',
        verb: is.forAll === undefined ? 'wait' : 'wait-all',
        message: is.id,
        pairs: [],
      });
    }
    delete member.open;
    this.#asking = undefined;
    const data = jsonOf(is.data);
    const senders = typeof data === 'object' && data !== null ? Object.entries(data) : [];
    const heard = senders.map(([sender, message]) => ({ sender, pairs: pairsOf(message) }));
    member.observed.push({ at, did: 'hear', how: 'released', heard });
  }

  /** The request was dealt with: of a wait for everybody under an id that nobody has sent upstream refuses at once. */
  #refused(at: number): undefined {
    const asking = this.#asking;
    this.#asking = undefined;
    if (asking?.call?.verb !== 'wait-all' || asking.call.waitsFor !== undefined) return;
    const { message = '' } = asking.call;
    const { members } = this.#groupOf(asking.group);
    const wasSent = [...members.values()].some(({ observed }) =>
      observed.some((is) => is.did === 'call' && is.verb === 'send' && is.message === message),
    );
    const member = members.get(asking.member);
    if (wasSent || member?.open === undefined) return;
    delete member.open;
    member.observed.push({ at, did: 'hear', how: 'nack' });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
