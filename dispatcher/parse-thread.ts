/**
 * The thread in which patterns of definitions are matched. Whoever wrote them is not trusted with time: lines are matched
 * under a limit, a line that takes longer alone is passed over, and a definition with too many such lines is given up.
 */
import { Script } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { type CompiledRule, casesOf, compiled, type LineCases } from '../submission/parse-rules.ts';
import type { MatchAnswer, MatchMessage } from './parse-matcher.ts';

/** Of one line, and of as many as get through in that time. */
const MATCH_TIMEOUT_MS = 250;
const SLOW_LINES_MAX = 4;

interface Session {
  rules: CompiledRule[];
  slow: number;
}
const sessions = new Map<number, Session>();

/** What the limited piece of code works on: it is called by name, because a `vm` limits scripts and not functions. */
const work = {
  rules: [] as CompiledRule[],
  lines: [] as string[],
  at: 0,
  to: 0,
  out: [] as LineCases[],
};
const run = (): void => {
  while (work.at < work.to) {
    work.out[work.at] = casesOf(work.lines[work.at] ?? '', work.rules);
    work.at += 1;
  }
};
Object.defineProperty(globalThis, 'musterMatch', { value: run });
const script = new Script('musterMatch()');

/** `false`: the time was over; `work.at` is the line that was being matched. */
function runUpTo(to: number): boolean {
  work.to = to;
  try {
    script.runInThisContext({ timeout: MATCH_TIMEOUT_MS });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  }
}

function match(session: Session, lines: string[]): Omit<MatchAnswer, 'number'> {
  Object.assign(work, { rules: session.rules, lines, at: 0, out: [] });
  while (work.at < lines.length && session.slow <= SLOW_LINES_MAX) {
    if (runUpTo(lines.length)) continue;
    // It may only have been its turn when the time was over.
    if (runUpTo(work.at + 1)) continue;
    session.slow += 1;
    work.out[work.at] = { cases: [], unnamed: 0 };
    work.at += 1;
  }
  const found = work.out.flatMap(({ cases }, line) =>
    cases.length === 0 ? [] : [{ line, cases }],
  );
  const unnamed = work.out.reduce((sum, one) => sum + one.unnamed, 0);
  return { found, unnamed, slow: session.slow, isGivenUp: session.slow > SLOW_LINES_MAX };
}

parentPort?.on('message', (message: MatchMessage) => {
  if ('open' in message)
    sessions.set(message.open, { rules: message.rules.map(compiled), slow: 0 });
  else if ('close' in message) sessions.delete(message.close);
  else {
    const session = sessions.get(message.session);
    const answer =
      session === undefined
        ? { found: [], unnamed: 0, slow: 0, isGivenUp: true }
        : match(session, message.lines);
    parentPort?.postMessage({ number: message.number, ...answer } satisfies MatchAnswer);
  }
});
