/**
 * Follows the console of one action until its runner is through: hears what test scripts say, has lines matched with the
 * patterns of the suite that runs, and reports both in their order.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { MemberCommand } from '../machines/commands.ts';
import { CaseResult } from '../machines/events.ts';
import { plainText } from '../submission/quoting.ts';
import { ActionListener, type Heard, type HeardLine, type HeardSuite } from './action-listener.ts';
import { follow } from './console.ts';
import { messageOf, StepFailure } from './failure.ts';
import { type MatchAnswer, type MatchSession, openMatcher } from './parse-matcher.ts';
import { scriptEnd } from './script-end.ts';
import type { UpstreamCall } from './transport/upstream-lines.ts';

export interface Plan {
  /** The word that the marks of the runner carry. */
  nonce: string;
  /** Where the action begins on the console. */
  from: number;
  suites: readonly HeardSuite[];
}

export interface ShellWatchOptions {
  member: string;
  plan: Plan;
  /** The console's file. */
  console: string;
  bytesMax: number;
  signal: AbortSignal;
  /** What became of the board, in words; `undefined`: it runs. */
  gone(): Promise<string | undefined>;
  type(line: string): Promise<void>;
  /** Resolves when there is room for more. */
  report(command: MemberCommand, what: string, end: number): Promise<void>;
  /** Resolves when all is durable. */
  reported(): Promise<void>;
  note(line: string): Promise<void>;
  /** A frame of the board, at this byte of its console. */
  frame(text: string, at: number): void;
  /** A call of LAVA's own scripts, with a name that is the same whenever the console is read. */
  call(call: UpstreamCall, place: string): void;
}

/** Lines that go to the patterns together. */
const BATCH_CHARS_MAX = 65_536;
/** Asked once a printed end of the shell, and never more often than this an action: a board may print thousands. */
const SHELL_QUESTIONS_MAX = 20;
/** A process of the board that is just being killed may still take the beginning of a question, and it is lost. */
const SHELL_QUESTION_AGAIN = 3;
/** A script that prints an old console prints on; one that asked waits, and so does a shell that was not reached. */
const QUIET_MS = 2_000;

interface Matching {
  suite: HeardSuite;
  session: MatchSession;
  lines: HeardLine[];
  chars: number;
  slow: number;
  unnamed: number;
}

export class ShellWatch {
  readonly #options: ShellWatchOptions;
  readonly #listener: ActionListener;
  #matching: Matching | undefined;
  #gone: string | undefined;
  #shellStatus = 0;
  #questions = 0;
  /** When the last question was typed, and how often it will be typed again. */
  #asked = { at: 0, again: 0 };
  #heardAt = Date.now();

  constructor(options: ShellWatchOptions) {
    this.#options = options;
    const { nonce, suites } = options.plan;
    this.#listener = new ActionListener(options.member, nonce, suites);
  }

  /**
   * Resolves when the runner said itself that it is through, and all that it said is durable.
   *
   * @throws StepFailure when it ended otherwise; StepAborted
   */
  async untilEnd(): Promise<void> {
    const { console: path, plan, bytesMax, signal } = this.#options;
    const onIdle = () => this.#idle();
    const wants = () => this.#listener.wantsNext;
    try {
      for await (const line of follow(path, plan.from, { bytesMax, signal, onIdle, wants }))
        if (await this.#hear(this.#listener.hear(line))) return;
    } finally {
      this.#matching?.session.close();
    }
  }

  /** `true`: the action is through. */
  async #hear(all: readonly Heard[]): Promise<boolean> {
    this.#heardAt = Date.now();
    for (const heard of all) if (await this.#act(heard)) return true;
    return false;
  }

  async #idle(): Promise<void> {
    await this.#flush();
    if (Date.now() - this.#heardAt > QUIET_MS) await this.#hear(this.#listener.hearNothing());
    if (this.#asked.again > 0 && Date.now() - this.#asked.at > QUIET_MS) await this.#ask();
    // The last words of a board are read before its end is believed.
    if (this.#gone !== undefined)
      throw new StepFailure('shell-ended', `${this.#gone} before its tests were through`);
    this.#gone = await this.#options.gone();
  }

  /** `true`: the action is through. */
  async #act(heard: Heard): Promise<boolean> {
    if (heard.is === 'line') {
      await this.#gather(heard);
      return false;
    }
    if (heard.is !== 'frame') await this.#flush();
    switch (heard.is) {
      case 'report':
        await this.#options.report(heard.command, heard.key, heard.end);
        return false;
      case 'suite-started':
        this.#openPatterns(heard.suite);
        return false;
      case 'suite-ended':
        await this.#closePatterns();
        return false;
      case 'script-ended': {
        const { member, console: path } = this.#options;
        const { suite, script, status, from, at, key } = heard;
        const end = await scriptEnd(path, { from, to: at }, status);
        await this.#options.report({ type: 'EndScript', member, suite, script, ...end }, key, at);
        return false;
      }
      case 'note':
        await this.#options.note(heard.text);
        return false;
      case 'frame':
        this.#options.frame(heard.text, heard.at);
        return false;
      case 'call':
        this.#options.call(heard.call, heard.place);
        return false;
      case 'shell-ended':
        await this.#askShell(heard.status);
        return false;
      case 'exit':
        await this.#options.reported();
        return true;
      case 'runner-ended':
        await this.#options.reported();
        throw new StepFailure(
          'shell-ended',
          `the test runner on the board ended (status ${heard.status}) before its tests were through`,
        );
      case 'shell-free':
        await this.#options.reported();
        throw new StepFailure(
          'shell-ended',
          `the shell of the board ended (status ${this.#shellStatus}) before its tests were through`,
        );
    }
  }

  /**
   * Anybody can print that the shell ended. A shell that answers now is free: it does not run the runner any more. While
   * the runner runs, nobody reads the question.
   */
  async #askShell(status: number): Promise<void> {
    this.#shellStatus = status;
    this.#questions += 1;
    if (this.#questions > SHELL_QUESTIONS_MAX) return;
    this.#asked.again = SHELL_QUESTION_AGAIN;
    await this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asked = { at: Date.now(), again: this.#asked.again - 1 };
    await this.#options.type(`\necho '<MUSTER_SHELL_FREE '${this.#options.plan.nonce}'>'`);
  }

  // patterns

  #openPatterns(suite: HeardSuite): void {
    if (suite.rules.length === 0) return;
    const session = openMatcher(suite.rules);
    this.#matching = { suite, session, lines: [], chars: 0, slow: 0, unnamed: 0 };
  }

  async #closePatterns(): Promise<void> {
    const matching = this.#matching;
    this.#matching = undefined;
    if (matching === undefined) return;
    matching.session.close();
    if (matching.unnamed > 0)
      await this.#options.note(
        `${matching.unnamed} matches of a pattern gave no case: test_case_id must be one word`,
      );
  }

  async #gather(heard: HeardLine): Promise<void> {
    const matching = this.#matching;
    if (matching === undefined) return;
    matching.lines.push(heard);
    matching.chars += heard.line.text.length;
    if (matching.chars >= BATCH_CHARS_MAX) await this.#flush();
  }

  async #flush(): Promise<void> {
    const matching = this.#matching;
    if (matching === undefined || matching.lines.length === 0) return;
    const { lines, suite, session } = matching;
    matching.lines = [];
    matching.chars = 0;
    let answer: MatchAnswer;
    try {
      answer = await session.match(lines.map(({ line }) => plainText(line.text)));
    } catch (error) {
      return this.#giveUp(matching, messageOf(error));
    }
    for (const { line: at, cases } of answer.found) {
      const heard = lines[at];
      if (heard === undefined) continue;
      for (const [index, found] of cases.entries()) {
        const { command, key, end } = this.#listener.matched(suite, heard, index, found);
        await this.#options.report(command, key, end);
      }
    }
    matching.unnamed += answer.unnamed;
    if (answer.slow > matching.slow)
      await this.#options.note(
        `the patterns of ${suite.suite} took too long for ${answer.slow - matching.slow} of ${lines.length} lines`,
      );
    matching.slow = answer.slow;
    if (answer.isGivenUp) await this.#giveUp(matching, 'they take too long');
  }

  async #giveUp({ suite }: Matching, why: string): Promise<void> {
    this.#listener.givePatternsUp();
    await this.#options.note(`the patterns of ${suite.suite} are given up: ${why}`);
  }
}

// the plan, for a server that starts anew

const Fixups = z.array(z.tuple([z.string(), CaseResult]));
const Suites = z.array(
  z.object({
    suite: z.string(),
    definition: z.string(),
    fixups: Fixups,
    rules: z.array(
      z.strictObject({
        pattern: z.string(),
        source: z.string(),
        flags: z.string(),
        groups: z.record(z.string(), z.string()),
        fixups: Fixups,
      }),
    ),
  }),
);

export async function writePlan(path: string, suites: readonly HeardSuite[]): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(Suites.parse(suites)), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** `undefined`: there is none that can be read. */
export async function readPlan(path: string): Promise<HeardSuite[] | undefined> {
  try {
    return Suites.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
