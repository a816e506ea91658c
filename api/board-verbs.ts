/**
 * What each verb of a board does: words in, an answer out, the same for both dialects. Words of the MultiNode
 * verbs are checked by the rules (`machines/job/verb-words.ts`), which record what they refuse; the others here.
 */

import { CommandRefused } from '../engine/live-stream.ts';
import type { MemberCommand } from '../machines/commands.ts';
import { Rejected } from '../machines/deciding.ts';
import { type Callers, CaseResult, type Verb } from '../machines/events.ts';
import { cacheLines } from '../machines/job/conversation.ts';
import { type JobState, memberOf } from '../machines/job/job.ts';
import { isTerminal, type Member } from '../machines/job/member.ts';
import { MESSAGE_BYTES_MAX } from '../machines/names.ts';
import type { BoardAnswer } from '../wire/board-answers.ts';
import { readCallers } from './callers.ts';
import { type BoardEngine, type BoardParts, oneLine, REASON_CHARACTERS_MAX } from './parts.ts';
import { ApiProblem } from './problems.ts';
import type { MemberName } from './tokens.ts';

/** One request of a board, from whichever dialect. */
interface BoardCall {
  member: MemberName;
  words: string[];
  /** Made on the board, the same on every retry. */
  key: string;
  /** Who called it on the board, where the board says so. */
  from: Callers | undefined;
  /** How many bytes the board's console had printed. */
  console: number;
  /** The set of cases that is open on the console, and those that were opened there. */
  set: () => ReturnType<BoardParts['openSet']>;
  /** Aborts when a wait is to be held no longer. */
  signal: AbortSignal;
}

type Run = (engine: BoardEngine, call: BoardCall) => Promise<BoardAnswer>;

export interface BoardVerb {
  /** Questions change nothing and need no key; waits are held until they end. */
  kind: 'question' | 'change' | 'wait';
  run: Run;
}

const done: BoardAnswer = { status: 'ok', lines: [] };
const refused = (reason: string): BoardAnswer => ({ status: 'refused', reason });

const verbs = new Map<string, BoardVerb>([
  ['self', { kind: 'question', run: self }],
  ['role', { kind: 'question', run: role }],
  ['group', { kind: 'question', run: group }],
  ['send', { kind: 'change', run: spoken('send') }],
  ['wait', { kind: 'wait', run: spoken('wait') }],
  ['wait-from', { kind: 'wait', run: waitFrom }],
  ['wait-all', { kind: 'wait', run: spoken('wait-all') }],
  ['sync', { kind: 'wait', run: spoken('sync') }],
  ['abandon', { kind: 'change', run: abandon }],
  ['suite', { kind: 'change', run: suite }],
  ['result', { kind: 'change', run: result }],
  ['raise', { kind: 'change', run: raise }],
]);

export const verbNames = (): string[] => [...verbs.keys()];

export const isVerb = (name: string): boolean => verbs.has(name);

/** @throws ApiProblem `not-found` */
export function verbOf(name: string): BoardVerb {
  const verb = verbs.get(name);
  if (verb !== undefined) return verb;
  const known = verbNames().join(', ');
  throw new ApiProblem(
    'not-found',
    `there is no verb ${JSON.stringify(name.slice(0, 60))}; there are ${known}`,
  );
}

export const KEY = /^[A-Za-z0-9._-]{8,64}$/;
const KEY_NEEDED = 'the key (Muster-Key) is missing or not of 8 to 64 letters, digits, . _ and -';
const never = new AbortController().signal;

/**
 * Runs a verb for a member: the one way from every door. What it does is in the engine's hands before this
 * returns, so that calls count in the order in which they are made. What a member asks that has just ended is held
 * until its board is off, or it has to ask again.
 *
 * @param hold keeps the request open; its signal aborts when it is to be held no longer
 * @throws CommandRefused, StoreUnavailable as the engine does
 */
export async function runVerb(
  { engine, consoleSize, openSet }: BoardParts,
  verb: BoardVerb,
  call: {
    member: MemberName;
    words: string[];
    key: unknown;
    from?: unknown;
    hold: () => AbortSignal;
  },
): Promise<BoardAnswer> {
  const { member, words, key, hold } = call;
  const from = readCallers(call.from);
  const isKey = typeof key === 'string' && KEY.test(key);
  if (!isKey && verb.kind !== 'question') return refused(KEY_NEEDED);
  const console = consoleSize(member.job, member.device);
  const signal = verb.kind === 'wait' ? hold() : never;
  try {
    const set = () => openSet(member.job, member.device);
    const known = { member, words, key: isKey ? key : '', from, console, set, signal };
    return await verb.run(engine, known);
  } catch (error) {
    if (!(await isForNobody(engine, member, error))) throw error;
    await aborted(hold());
    return { status: 'wait' };
  }
}

/** Whether an error is for nobody to hear: the member has just ended (SEMANTICS 2.4). */
async function isForNobody(
  engine: BoardEngine,
  { job, device }: MemberName,
  error: unknown,
): Promise<boolean> {
  const hasEnded =
    error instanceof CommandRefused &&
    (error.code === 'member-ended' || error.code === 'job-ended');
  return hasEnded && (await engine.isSilenced(job, device));
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** The job and the member that asks, while it lives: no member outlives its job. @throws CommandRefused */
export async function speaker(
  engine: BoardEngine,
  { job: id, device }: MemberName,
): Promise<{ job: JobState; member: Member }> {
  const job = await engine.job(id);
  if (job === undefined) throw gone('no-such-job', `there is no job ${id}`);
  const member = memberOf(job, device);
  if (member === undefined) throw gone('no-such-member', `${device} is no member of job ${id}`);
  if (isTerminal(member)) throw gone('member-ended', `${device} has ended ${member.state}`);
  return { job, member };
}

const gone = (code: Rejected['code'], reason: string) =>
  new CommandRefused(new Rejected(code, reason));

async function self(engine: BoardEngine, { member, words }: BoardCall): Promise<BoardAnswer> {
  await speaker(engine, member);
  if (words.length > 0) return refused('lava-self takes no words');
  return { status: 'ok', lines: [member.device] };
}

/** seed: lava-role */
async function role(engine: BoardEngine, { member: name, words }: BoardCall): Promise<BoardAnswer> {
  const { job, member } = await speaker(engine, name);
  if (words.length === 0) return { status: 'ok', lines: [member.role] };
  if (words.length > 1 || words[0] !== 'list') return refused('usage: lava-role [list]');
  return { status: 'ok', lines: job.group.roles };
}

/** seed: lava-group. A role that nobody has: exit 1 and no output. */
async function group(engine: BoardEngine, { member, words }: BoardCall): Promise<BoardAnswer> {
  const { job } = await speaker(engine, member);
  const [wanted, ...more] = words;
  if (more.length > 0) return refused('usage: lava-group [ROLE]');
  if (wanted === undefined)
    return { status: 'ok', lines: job.members.map((m) => `${m.device}\t${m.role}`) };
  const lines = job.members.filter((m) => m.role === wanted).map((m) => m.device);
  return lines.length === 0 ? { status: 'fail', reason: '' } : { status: 'ok', lines };
}

function spoken(verb: Verb): Run {
  return async (engine, { member, words, key, from, console, signal }) => {
    const by = { key, console, ...(from && { from }) };
    const end = await engine.call(member.job, member.device, verb, words, by, signal);
    return end ?? { status: 'wait' };
  };
}

/** As `wait`, with the data as `wait-all` gives it: who sent it stands before it, as LAVA's own scripts read it. */
async function waitFrom(engine: BoardEngine, call: BoardCall): Promise<BoardAnswer> {
  const end = await spoken('wait')(engine, call);
  const job = end.status === 'ok' ? await engine.job(call.member.job) : undefined;
  const [message] = call.words;
  if (end.status !== 'ok' || job === undefined || message === undefined) return end;
  const member = job.members.findIndex(({ device }) => device === call.member.device);
  const question = { verb: 'wait-all', message, member, role: null, round: 0 } as const;
  return { ...end, lines: cacheLines(job.conversation, job.group, job.members, question) };
}

async function abandon(engine: BoardEngine, { member, words }: BoardCall): Promise<BoardAnswer> {
  const [key, ...more] = words;
  if (key === undefined || more.length > 0)
    return refused('abandon takes one word: the key of the wait that ends');
  await engine.abandon(member.job, member.device, key);
  return done;
}

async function suite(engine: BoardEngine, call: BoardCall): Promise<BoardAnswer> {
  const [what, name, definition, ...more] = call.words.map(oneLine);
  const member = call.member.device;
  if (!name || more.length > 0 || isTooLarge(call.words)) return refused(SUITE_USAGE);
  if (what === 'start')
    await report(engine, call, {
      type: 'StartSuite',
      member,
      suite: name,
      ...(definition && { definition }),
    });
  else if (what === 'end' && definition === undefined)
    await report(engine, call, { type: 'EndSuite', member, suite: name });
  else return refused(SUITE_USAGE);
  return done;
}

const SUITE_USAGE = `suite takes: start NAME [DEFINITION], or end NAME; at most ${MESSAGE_BYTES_MAX} bytes`;
const RESULT_KEYS = ['case', 'result', 'set', 'measurement', 'units', 'note', 'suite'] as const;
type ResultKey = (typeof RESULT_KEYS)[number];

async function result(engine: BoardEngine, call: BoardCall): Promise<BoardAnswer> {
  if (isTooLarge(call.words)) return refused(`a result has at most ${MESSAGE_BYTES_MAX} bytes`);
  const given: Partial<Record<ResultKey, string>> = {};
  for (const word of call.words) {
    const at = word.indexOf('=');
    const key = RESULT_KEYS.find((known) => known === word.slice(0, at));
    if (key === undefined)
      return refused(`${JSON.stringify(word.slice(0, 60))} is none of ${RESULT_KEYS.join('=, ')}=`);
    given[key] = oneLine(word.slice(at + 1));
  }
  const { case: name, result: outcome, set: said, ...rest } = given;
  if (!name) return refused('a result needs a case=NAME');
  const known = CaseResult.options.find((option) => option === outcome);
  if (known === undefined)
    return refused(`a result needs result=${CaseResult.options.join('|')}, not ${outcome ?? ''}`);
  // One set a suite is open, whoever opened or closed it: the console knows, but of a verb whose output went elsewhere.
  const seen = await call.set();
  const set = said && !seen.opened?.includes(said) ? said : seen.open;
  await report(engine, call, {
    type: 'RecordResult',
    member: call.member.device,
    case: name,
    result: known,
    ...(set !== undefined && { set }),
    ...(call.from && { from: call.from }),
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== '')),
  });
  return done;
}

async function raise(engine: BoardEngine, call: BoardCall): Promise<BoardAnswer> {
  const reason = oneLine(call.words.join(' ')).slice(0, REASON_CHARACTERS_MAX);
  if (reason === '') return refused('usage: lava-test-raise MESSAGE');
  await report(engine, call, { type: 'RaiseMember', member: call.member.device, reason });
  return done;
}

function report(engine: BoardEngine, call: BoardCall, command: MemberCommand): Promise<void> {
  const { member, key, console } = call;
  return engine.member(member.job, command, { actor: `board:${member.device}`, key, console });
}

const isTooLarge = (words: readonly string[]): boolean =>
  words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, -1) > MESSAGE_BYTES_MAX;
