/**
 * A job's log as LAVA keeps it (`log.yaml`, an entry `- {dt, lvl, msg}` each) or as `lava-run` prints it (the same, without
 * the dash): what one member of a group did, what was answered, and what its board printed.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { CaseResult } from '../../machines/events.ts';
import { DeviceName, RoleName } from '../../machines/names.ts';
import { callOf, pairsIn } from './calls-of-job.ts';
import { type GroupLog, LogRefused, type Observed, type ReadLog } from './observed.ts';

/** Of one entry. A longer one is a log that is none. */
const ENTRY_CHARACTERS_MAX = 4 * 1024 * 1024;
/** Of the text that one member's board printed. */
const CONSOLE_BYTES_MAX = 512 * 1024 * 1024;

const Entry = z.looseObject({ dt: z.coerce.string(), lvl: z.string(), msg: z.unknown() });
type Entry = z.infer<typeof Entry>;

const Result = z.looseObject({
  definition: z.coerce.string(),
  case: z.coerce.string(),
  result: z.string(),
  set: z.coerce.string().optional(),
  measurement: z.coerce.string().optional(),
  units: z.coerce.string().optional(),
  error_msg: z.coerce.string().nullish(),
  error_type: z.coerce.string().nullish(),
});

/** The start of an entry: a list's dash, or a mapping that stands alone. */
export const beginsEntry = (line: string): boolean => /^(?:- |\{)/.test(line);

export class JobLogReader {
  readonly #file: string;
  readonly #observed: Observed[] = [];
  readonly #roles = new Map<string, string | undefined>();
  readonly #groups = new Set<string>();
  readonly #names = new Set<string>();
  readonly #console: Buffer[] = [];
  #bytes = 0;
  #times = '';
  #entry = '';
  #entries = 0;
  #unreadable = 0;
  #isLastCut = false;
  #last = 0;
  #role: string | undefined;
  #size: number | undefined;
  #suite = 'lava';
  /** The call that was not answered yet. */
  #open: 'send' | 'wait' | undefined;
  #pending: Extract<Observed, { did: 'call' }> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** One line, without its end; what other systems put before that is no part of it. */
  line(raw: string): void {
    const text = raw.replace(/\r$/, '');
    if (beginsEntry(text)) {
      this.#take(false);
      this.#entry = text;
    } else if (this.#entry !== '' || this.#entries === 0) {
      this.#entry = this.#entry === '' ? text : `${this.#entry}\n${text}`;
      if (this.#entry.length > ENTRY_CHARACTERS_MAX) throw this.#isNone();
    }
  }

  /** @throws LogRefused */
  end(): ReadLog {
    this.#take(true);
    this.#settle();
    if (this.#entries === 0 || this.#unreadable > this.#entries) throw this.#isNone();
    if (this.#groups.size > 1)
      throw new LogRefused(`it is of several groups: ${[...this.#groups].join(', ')}`);
    const [name] = this.#groups;
    const member = this.#memberName();
    this.#roles.set(member, this.#role ?? this.#roles.get(member));
    const role = this.#roles.get(member);
    const group: GroupLog = {
      name,
      ...(this.#size !== undefined && { size: this.#size }),
      roles: this.#roles,
      members: [
        {
          name: member,
          ...(role !== undefined && { role }),
          observed: this.#observed,
          console: Buffer.concat(this.#console),
          times: this.#times,
        },
      ],
    };
    return { file: this.#file, kind: 'job', groups: [group], notes: this.#notes(member) };
  }

  #notes(member: string): string[] {
    const notes: string[] = [];
    const ends = this.#observed.some(({ did }) => did === 'finish');
    if (this.#isLastCut) notes.push(`${this.#file} ends in the middle of a line`);
    if (!ends) notes.push(`how ${member} ended: ${this.#file} does not come to the end of its job`);
    const torn = this.#unreadable - (this.#isLastCut ? 1 : 0);
    if (torn > 0) notes.push(`${torn} entries of ${this.#file} that cannot be read`);
    return notes;
  }

  #isNone(): LogRefused {
    return new LogRefused(
      'it is neither the log of lava-coordinator nor that of a job (log.yaml, or what lava-run prints)',
    );
  }

  /** By what it says of itself, else by the name of its file. */
  #memberName(): string {
    if (this.#names.size > 1)
      throw new LogRefused(`it is of several jobs: ${[...this.#names].join(', ')}`);
    const [said] = this.#names;
    const base = this.#file.split('/').at(-1) ?? '';
    const stem = base.replace(/\.(?:ya?ml|log|txt|json)$/, '');
    const digits = /(?<!\d)\d{2,15}(?!\d)/.exec(stem)?.[0];
    const name = said ?? digits ?? stem;
    if (DeviceName.safeParse(name).success) return name;
    throw new LogRefused('neither it nor its name says which job it is of: call it JOB.yaml');
  }

  #take(isLast: boolean): undefined {
    const text = this.#entry;
    this.#entry = '';
    if (text.trim() === '') return;
    const entry = Entry.safeParse(entryOf(text)).data;
    const at = entry === undefined ? Number.NaN : timeOf(entry.dt);
    if (entry === undefined || Number.isNaN(at)) {
      this.#unreadable++;
      this.#isLastCut = isLast;
      return;
    }
    this.#entries++;
    this.#last = at;
    this.#look(entry, at);
  }

  #look({ lvl, msg }: Entry, at: number): void {
    if (lvl === 'results') this.#result(msg, at);
    else if (typeof msg !== 'string') return;
    else if (lvl === 'target') this.#printed(msg, at);
    else if (lvl === 'input') this.#answered(msg, at);
    else if (lvl === 'warning' || lvl === 'exception' || lvl === 'error') this.#failed(msg, at);
    else this.#said(msg, at);
  }

  #add(is: Observed): undefined {
    this.#observed.push({ ...is, console: this.#bytes });
  }

  // what the board printed

  /** Upstream's logger puts a backslash before each quote. */
  #printed(msg: string, at: number): undefined {
    const line = Buffer.from(`${msg.replaceAll('\\"', '"')}\n`);
    this.#bytes += line.length;
    if (this.#bytes > CONSOLE_BYTES_MAX)
      throw new LogRefused('its board printed more than 512 MiB');
    this.#console.push(line);
    this.#times += `${this.#bytes} ${at}\n`;
  }

  // calls, and what became of them

  #said(msg: string, at: number): undefined {
    const call = callOf(msg);
    if (call !== undefined) return this.#called(call, at);
    const [, signal, words = ''] = /^Received signal: <(\w+)> ?(.*)$/.exec(msg) ?? [];
    if (signal === 'STARTRUN' || signal === 'ENDRUN') {
      const [suite = 'lava'] = words.split(' ');
      this.#settle();
      this.#suite = suite;
      this.#add({ at, did: signal === 'STARTRUN' ? 'suite' : 'suite-end', suite });
      return undefined;
    }
    const [, group] = /^Initialising group (\S+)$/.exec(msg) ?? [];
    if (group !== undefined) this.#groups.add(group);
    const [, member = '', role = ''] = /^group roles:\t(\S+)\t(\S+)$/.exec(msg) ?? [];
    if (DeviceName.safeParse(member).success)
      this.#roles.set(member, RoleName.safeParse(role).data ?? this.#roles.get(member));
    const [, edge, action = ''] = /^(start|end): \d+ (\S+) \(/.exec(msg) ?? [];
    if (edge === 'start' && action !== 'validate') {
      const limit = secondsOf(/\(timeout ([\d:]+)\)/.exec(msg)?.[1]);
      this.#add({ at, did: 'start', action, ...(limit !== undefined && { limit }) });
    } else if (edge === 'end') this.#add({ at, did: 'end', action });
    const [, own] = /\/dispatcher\/tmp\/(\d+)(?:\/|$)/.exec(msg) ?? [];
    if (own !== undefined) this.#names.add(own);
    return undefined;
  }

  #called(call: NonNullable<ReturnType<typeof callOf>>, at: number): undefined {
    const { member, group, role, size, ...is } = call;
    if (member !== undefined) this.#names.add(member);
    if (group !== undefined) this.#groups.add(group);
    if (role !== undefined) this.#role = RoleName.safeParse(role).data ?? this.#role;
    this.#size = size ?? this.#size;
    const { verb, message, waitsFor, pairs } = is;
    if (verb === undefined || message === undefined) return;
    const before = this.#pending;
    // The dispatcher says it twice: as its board asked for it, and as it asks the coordinator.
    if (before?.verb === verb && before.message === message) {
      const forRole = waitsFor === undefined ? {} : { role: waitsFor };
      this.#pending = { ...before, ...forRole, ...(pairs.length > 0 && { pairs }) };
      return;
    }
    this.#settle();
    const forRole = waitsFor === undefined ? {} : { role: waitsFor };
    this.#pending = { at, did: 'call', verb, message, pairs, ...forRole, console: this.#bytes };
  }

  /** What was asked is told by now; a wait that is told goes on until it is answered. */
  #settle(): undefined {
    const call = this.#pending;
    this.#pending = undefined;
    if (call === undefined) return;
    // Whoever asks again has come back from what it asked before.
    if (this.#open === 'wait')
      this.#observed.push({ at: call.at, did: 'hear', how: 'released', console: this.#bytes });
    this.#observed.push(call);
    this.#open = call.verb === 'send' ? undefined : 'wait';
  }

  #answered(msg: string, at: number): undefined {
    const [, said] = /^<LAVA_(?:SYNC|WAIT|WAIT_ALL)_COMPLETE(.*)>\s*$/s.exec(msg) ?? [];
    if (said === undefined) return;
    this.#settle();
    if (this.#open !== 'wait') return;
    this.#open = undefined;
    if (said.trim() === 'nack') this.#add({ at, did: 'hear', how: 'nack' });
    else this.#add({ at, did: 'hear', how: 'released', heard: pairsIn(said) });
  }

  #failed(msg: string, at: number): undefined {
    if (/unable to accept LAVA_SEND/.test(msg)) {
      // It was refused: nobody ever heard it.
      const send = this.#pending;
      this.#pending = undefined;
      if (send !== undefined) this.#case(at, `multinode-send-${send.message}`, 'fail', msg);
      return;
    }
    const timedOut = /^Sync error in \S+ signal: .*timed out/.test(msg);
    const cutOff = /^(?:\S+ )+timed out after \d+ seconds/.test(msg);
    if (!timedOut && !cutOff) return;
    this.#settle();
    if (this.#open === 'wait')
      this.#add({ at, did: 'hear', how: timedOut ? 'timed-out' : 'cut-off' });
    this.#open = undefined;
  }

  #case(at: number, id: string, result: CaseResult, note: string): undefined {
    this.#add({ at, did: 'result', suite: this.#suite, case: id, result, note });
  }

  // results, and the end

  #result(msg: unknown, at: number): undefined {
    const is = Result.safeParse(msg).data;
    if (is === undefined) return;
    const { definition, set, measurement, units } = is;
    // Of a send that is refused upstream says so after the results of its own doings.
    if (definition === 'lava' && is.case !== 'job') return;
    this.#settle();
    if (definition === 'lava') return this.#finish(is, at);
    const result = CaseResult.safeParse(is.result).data ?? 'unknown';
    this.#add({
      at,
      did: 'result',
      suite: definition,
      case: is.case,
      result,
      ...(set !== undefined && { set }),
      ...(measurement !== undefined && { measurement }),
      ...(units !== undefined && { units }),
    });
  }

  #finish({ result, error_msg, error_type }: z.infer<typeof Result>, at: number): undefined {
    if (this.#open === 'wait') this.#add({ at, did: 'hear', how: 'cut-off' });
    this.#open = undefined;
    const reason = [error_type, error_msg].filter(Boolean).join(': ') || 'no reason is given';
    const how =
      result === 'pass'
        ? 'complete'
        : error_type === 'Canceled'
          ? 'cancelled'
          : /timed out/.test(error_msg ?? '')
            ? 'timedOut'
            : 'failed';
    this.#add({ at: Math.max(at, this.#last), did: 'finish', how, reason });
  }
}

/** `undefined`: it is no entry. The most are JSON too, and that is read in a fraction of the time. */
function entryOf(text: string): unknown {
  const body = text.startsWith('- ') ? `  ${text.slice(2)}` : text;
  try {
    return JSON.parse(body);
  } catch {
    // Tags such as `!!python/...` say nothing that is wanted here.
    try {
      return parse(body, { logLevel: 'error', maxAliasCount: 0 });
    } catch {
      return undefined;
    }
  }
}

/** Upstream's times are in UTC and do not say so. */
function timeOf(dt: string): number {
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(dt) ? dt : `${dt}Z`);
}

function secondsOf(clock: string | undefined): number | undefined {
  const parts = clock?.split(':').map(Number) ?? [];
  if (parts.length !== 3) return undefined;
  return parts.reduce((sum, part) => sum * 60 + part, 0) || undefined;
}
