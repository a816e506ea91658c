/**
 * From power to a shell: what is said to a board on its console until a shell of ours reads there. What a board prints
 * is not believed: a prompt is one when a command that is typed at it is run.
 */
import type { Login } from '../../submission/lab-drivers.ts';
import { StepFailure } from '../failure.ts';
import type { Dialogue, Said } from './dialogue.ts';

/** Nobody answers: a board may wait for a key, or its prompt was printed before somebody listened. */
const NUDGE_MS = 10_000;
const PROBE_MS = 5_000;
const LOGINS_MAX = 3;
/** Kernels that start before one of them has a shell. */
const STARTS_MAX = 3;

export const PANIC = /Kernel panic - not syncing[^\r\n]*[\r\n]/;
const KERNEL_START = /(?<=^|[\r\n])[^\r\n]{0,40}Linux version \d[^\r\n]*[\r\n]/;
const REFUSED = /(?:Login incorrect|Login timed out|Authentication failure)/;
const ANY_LOGIN = /(?<=^|[\r\n])[\w.-]{1,64} login: ?$/;
const PROMPTS_DEFAULT = ['[#$] ?$'];

export interface LoginOptions {
  talk: Dialogue;
  login: Login;
  /** Tells the marks of this boot from those of others. */
  nonce: string;
  /** The board is not there when it prints nothing for so long. */
  silentSeconds?: number;
  /** Tried once for a board that says nothing; `false`: there is no such way. */
  reset?(): Promise<boolean>;
  type(line: string): Promise<void>;
  /** As they are, without an end of line. */
  press(characters: string): Promise<void>;
}

/** @throws StepFailure `boot-failed`, as `Dialogue.expect`; StepAborted */
export async function logIn(options: LoginOptions): Promise<void> {
  await new LogIn(options).run();
}

class LogIn {
  readonly #options: LoginOptions;
  readonly #rules: { pattern: RegExp; act(said: Said): Promise<boolean> }[];
  #logins = 0;
  #starts = 0;
  #probes = 0;
  #bootCommands: string[];

  constructor(options: LoginOptions) {
    this.#options = options;
    const { login, type, press } = options;
    const { auto_login: auto, bootloader, prompts = PROMPTS_DEFAULT } = login;
    this.#bootCommands = [...(bootloader?.commands ?? [])];
    const rule = (pattern: RegExp | string, act: (said: Said) => Promise<boolean>) => ({
      pattern: typeof pattern === 'string' ? new RegExp(pattern) : pattern,
      act,
    });
    const goOn = async (act: Promise<void>) => {
      await act;
      return false;
    };
    this.#rules = [
      rule(PANIC, async ({ line }) => {
        throw new StepFailure('boot-failed', `its kernel panicked: ${line}`);
      }),
      rule(KERNEL_START, async ({ line }) => this.#started(line)),
      ...(bootloader?.interrupt_prompt === undefined
        ? []
        : [rule(bootloader.interrupt_prompt, () => goOn(press(bootloader.interrupt_characters)))]),
      ...(bootloader === undefined ? [] : [rule(bootloader.prompt, () => this.#nextBootCommand())]),
      ...(auto === undefined
        ? [rule(ANY_LOGIN, ({ line }) => this.#noLogin(line))]
        : [
            rule(REFUSED, ({ line }) => this.#refused(line, auto.username)),
            rule(auto.login_prompt, ({ line }) => this.#name(line, auto.username)),
            rule(auto.password_prompt, async ({ line }) => {
              if (auto.password === undefined)
                throw new StepFailure(
                  'boot-failed',
                  `it asks for a password, and the lab gives none: ${line}`,
                );
              await type(auto.password);
              return false;
            }),
          ]),
      ...prompts.map((prompt) => rule(prompt, () => this.#probe())),
    ];
  }

  async run(): Promise<void> {
    const { talk, silentSeconds = Number.POSITIVE_INFINITY, type, login } = this.#options;
    const patterns = this.#rules.map(({ pattern }) => pattern);
    let silentMs = 0;
    let isReset = false;
    while (true) {
      const before = talk.position;
      const said = await talk.expect(patterns, NUDGE_MS);
      if (said !== undefined) {
        if (await this.#rules[said.index]?.act(said)) break;
        continue;
      }
      silentMs = talk.position === before ? silentMs + NUDGE_MS : 0;
      if (silentMs >= silentSeconds * 1_000) {
        if (isReset || !(await this.#options.reset?.()))
          throw new StepFailure('boot-failed', `it has said nothing for ${silentSeconds} s`);
        isReset = true;
        silentMs = 0;
      }
      if (talk.position === before && (await this.#probe())) break;
    }
    for (const command of login.auto_login?.login_commands ?? []) {
      await type(command);
      await this.#settle();
    }
  }

  async #started(line: string): Promise<boolean> {
    this.#starts += 1;
    if (this.#starts > STARTS_MAX)
      throw new StepFailure(
        'boot-failed',
        `it starts over and over: a kernel started ${this.#starts} times, and none had a shell: ${line}`,
      );
    // What was said to an earlier one is to be said again.
    this.#bootCommands = [...(this.#options.login.bootloader?.commands ?? [])];
    return false;
  }

  async #nextBootCommand(): Promise<boolean> {
    const command = this.#bootCommands.shift();
    if (command !== undefined) await this.#options.type(command);
    return false;
  }

  async #noLogin(line: string): Promise<boolean> {
    throw new StepFailure(
      'boot-failed',
      `it asks for a login, and the lab has no auto_login for it: ${line}`,
    );
  }

  async #name(line: string, username: string): Promise<boolean> {
    this.#logins += 1;
    if (this.#logins > LOGINS_MAX) return this.#giveUp(line, username);
    await this.#options.type(username);
    return false;
  }

  async #refused(line: string, username: string): Promise<boolean> {
    if (this.#logins >= LOGINS_MAX) return this.#giveUp(line, username);
    return false;
  }

  #giveUp(line: string, username: string): never {
    throw new StepFailure(
      'boot-failed',
      `the login as ${username} failed ${Math.min(this.#logins, LOGINS_MAX)} times: ${line}`,
    );
  }

  /**
   * The sum tells a shell from an echo, and from a bootloader that knows `echo`; the variable tells a board that was
   * switched on from one that never was off.
   */
  async #probe(): Promise<boolean> {
    const { talk, type, nonce } = this.#options;
    this.#probes += 1;
    const word = `${nonce}p${this.#probes}`;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
    await type(`echo "<MUSTER_BOARD_SHELL ${word} $((6*7))${'${MUSTER_LOOP+ old}'}>"`);
    const answer = new RegExp(`<MUSTER_BOARD_SHELL ${word} 42( old)?>`);
    const said = await talk.expect([answer, PANIC], PROBE_MS);
    if (said?.index === 1)
      throw new StepFailure('boot-failed', `its kernel panicked: ${said.line}`);
    if (said?.match[1] !== undefined)
      throw new StepFailure(
        'boot-failed',
        'it was not switched off: the shell of an earlier boot answers',
      );
    return said !== undefined;
  }

  /** A command of the login may take its time, and leave another prompt. */
  async #settle(): Promise<void> {
    const { talk, login } = this.#options;
    const prompts = (login.prompts ?? PROMPTS_DEFAULT).map((prompt) => new RegExp(prompt));
    await talk.expect(prompts, PROBE_MS);
  }
}
