/**
 * One step of one member, from its start to its report: deploy, boot, or an action with a shell.
 * What is to be done comes from the server each time; a step that was begun in an earlier life is begun again or taken
 * up, and every report carries a key that says which step it is of, so that a repeat changes nothing.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { MemberCommand } from '../machines/commands.ts';
import type { Action } from '../machines/definition.ts';
import { consoleBytes, follow, note } from './console.ts';
import type { Driver, Log, Seat } from './drivers/driver.ts';
import { codeOf, messageOf, StepAborted, StepFailure, throwIfAborted } from './failure.ts';
import { withoutSecrets } from './git.ts';
import { shellQuoted } from './programs.ts';
import type { Owed, ServerPort } from './server-port.ts';
import { type ConsoleLine, parseSignal, type Signal } from './signals.ts';
import { layOutSuites } from './suites.ts';

export interface StepContext {
  server: ServerPort;
  driver: Driver;
  log: Log;
  allowFiles: readonly string[];
  consoleBytesMax: number;
  gitConfigFile: string;
  /** In the environment of programs that fetch, so that leftovers of a crash are found. */
  fetchMark: Record<string, string>;
  consoleFile(job: number, device: string): string;
}

/** A step with the image that its board boots. */
export interface Task extends Owed {
  image: string;
  /** Whether that is the lab's own choice for the type: a board that cannot boot it is at fault itself. */
  isLabImage: boolean;
}

const REPORT_RETRY_MS = 1_000;

function seatOf(owed: Owed): Seat {
  const { job, device, lease } = owed;
  return { job, device, lease, group: owed.group.map((member) => member.device) };
}

/**
 * Runs the step that is owed, and reports how it ended.
 *
 * @throws StepAborted when it was taken back (then nothing more is reported), or the member has ended meanwhile
 */
export async function runStep(
  context: StepContext,
  owed: Task,
  signal: AbortSignal,
): Promise<void> {
  await new MemberStep(context, owed, signal).run();
}

class MemberStep {
  readonly #context: StepContext;
  readonly #owed: Task;
  readonly #seat: Seat;
  readonly #signal: AbortSignal;
  readonly #console: string;
  #isBooting = false;

  constructor(context: StepContext, owed: Task, signal: AbortSignal) {
    this.#context = context;
    this.#owed = owed;
    this.#seat = seatOf(owed);
    this.#signal = signal;
    this.#console = context.consoleFile(owed.job, owed.device);
  }

  async run(): Promise<void> {
    const { step } = this.#owed;
    throwIfAborted(this.#signal);
    if (step.do === 'boot') await this.#implicitBoot();
    else if (step.do === 'run') await this.#action(step.index, step.action);
  }

  /** A member whose next action needs a shell, with a board that is down. */
  async #implicitBoot(): Promise<void> {
    // Between two of these there is always an action with a suite.
    const which = `boot.${this.#owed.suitesBefore}`;
    try {
      await this.#boot(which);
    } catch (error) {
      const reason = this.#reasonOf(error);
      await this.#note(reason);
      const command = { type: 'FailMember', member: this.#owed.device, reason } as const;
      await this.#report({ ...command, ...this.#faultOf(error) }, `${which}.failed`);
    }
  }

  async #action(index: number, action: Action): Promise<void> {
    const member = this.#owed.device;
    const again = this.#owed.begun ? ' (taken up again)' : '';
    await this.#note(`action ${index} ${action.command} starts${again}`);
    await this.#report({ type: 'StartAction', member, action: index }, `start.${index}`);
    let end: { outcome: 'ok' } | { outcome: 'failed'; reason: string; fault?: 'board' };
    try {
      await this.#perform(index, action);
      end = { outcome: 'ok' };
    } catch (error) {
      const reason = this.#reasonOf(error);
      await this.#note(reason);
      const code = codeOf(error);
      if (code === 'board-gone' || code === 'console-too-large') {
        const command = { type: 'FailMember', member, reason } as const;
        await this.#report({ ...command, ...this.#faultOf(error) }, `failed.${index}`);
        return;
      }
      end = { outcome: 'failed', reason, ...this.#faultOf(error) };
    }
    await this.#note(`action ${index} ${action.command} ended: ${end.outcome}`);
    await this.#report({ type: 'EndAction', member, action: index, ...end }, `end.${index}`);
  }

  /** Whose fault a failure is, where it is not the test's. */
  #faultOf(error: unknown): { fault?: 'board' } {
    const cannotBoot = this.#isBooting && this.#owed.isLabImage;
    return codeOf(error) === 'board-gone' || cannotBoot ? { fault: 'board' } : {};
  }

  async #perform(index: number, action: Action): Promise<void> {
    switch (action.command) {
      case 'deploy_linaro_image': {
        const { image } = action.parameters;
        await this.#note(`deploying ${withoutSecrets(image)}`);
        return this.#context.driver.deploy(this.#seat, image, this.#signal);
      }
      case 'boot_linaro_image':
        return this.#boot(`boot-action.${index}`);
      case 'lava_test_shell':
      case 'lava_command_run':
        return this.#runShell(index, action);
      case 'submit_results':
        // The server combines the results of the group from its log: there is nothing to carry.
        return this.#note('the results of the group are combined on the server');
    }
  }

  async #boot(which: string): Promise<void> {
    const { driver } = this.#context;
    const { device: member, image } = this.#owed;
    await this.#report({ type: 'StartBoot', member }, which);
    await this.#note(`booting ${withoutSecrets(image)}`);
    const environment = await this.#environment();
    this.#isBooting = true;
    const { address } = await driver.boot(this.#seat, image, environment, this.#signal);
    this.#isBooting = false;
    await this.#note(`booted${address === undefined ? '' : `, address ${address}`}`);
    const command = { type: 'ConfirmBoot', member, ...(address ? { address } : {}) } as const;
    await this.#report(command, `${which}.done`);
  }

  /**
   * The file `env` on the board: how it reaches the server, and who is in its group, so that it need not ask. The group
   * is not exported: that of a large lab does not fit into an environment.
   */
  async #environment(): Promise<string> {
    const { server, driver } = this.#context;
    const { job, device, role, group } = this.#owed;
    const { url, token } = await server.access(job, device);
    const members = group.map((member) => `${member.device}\t${member.role}`).join('\n');
    const variables = [
      ['MUSTER_DEVICE', device],
      ['MUSTER_ROLE', role],
      ['MUSTER_URL', url],
      ['MUSTER_TOKEN', token],
      ['MUSTER_HOME', driver.home(this.#seat)],
      ['LAVA_JOB', String(job)],
      ...driver.variables(this.#seat),
    ] as const;
    const exported = variables.map(([name, value]) => `export ${name}=${shellQuoted(value)}\n`);
    return `${exported.join('')}MUSTER_GROUP=${shellQuoted(members)}\n`;
  }

  async #runShell(
    index: number,
    action: Extract<Action, { command: 'lava_test_shell' | 'lava_command_run' }>,
  ): Promise<void> {
    const { driver } = this.#context;
    const seat = this.#seat;
    if (!driver.alive(seat))
      throw new StepFailure('board-gone', 'the board is gone: it ended after it had booted');
    let mark = driver.actionMark(seat);
    if (mark?.index !== index) {
      const folder = await driver.staging(seat);
      await layOutSuites(action, folder, this.#suiteOptions());
      await driver.hand(seat, folder, String(index));
      await this.#note('running tests');
      mark = { index, from: consoleBytes(this.#console) };
      await driver.setActionMark(seat, mark);
    }
    // The server may listen elsewhere since the board booted.
    const staging = await driver.staging(seat);
    await writeFile(join(staging, 'env'), await this.#environment(), { mode: 0o600 });
    await driver.hand(seat, join(staging, 'env'), 'env');
    // Typed again after a restart of the server: the runner has a lock, and the second call does nothing.
    const home = driver.home(seat);
    const runner = `${shellQuoted(`${home}/bin/lava-test-runner`)} ${shellQuoted(`${home}/${index}`)}`;
    await driver.type(seat, `${runner}; printf '\\n<MUSTER_RUNNER_ENDED %s %s>\\n' ${index} "$?"`);
    await this.#untilEnd(index, mark.from);
  }

  #suiteOptions() {
    const { allowFiles, gitConfigFile, fetchMark } = this.#context;
    return {
      suitesBefore: this.#owed.suitesBefore,
      allowFiles,
      gitConfigFile,
      mark: fetchMark,
      signal: this.#signal,
      note: (line: string) => this.#note(line),
    };
  }

  /** Reads the console until the runner is through; reports what test scripts say there. */
  async #untilEnd(index: number, from: number): Promise<void> {
    let set: string | undefined;
    let gone = false;
    const onIdle = () => {
      // The last words of a board are read before its end is believed.
      if (gone)
        throw new StepFailure('shell-ended', 'the board ended before its tests were through');
      gone = !this.#context.driver.alive(this.#seat);
    };
    const options = { bytesMax: this.#context.consoleBytesMax, signal: this.#signal, onIdle };
    for await (const line of follow(this.#console, from, options)) {
      const found = parseSignal(line.text);
      if (found === undefined) continue;
      if (found.is === 'runner-exit') return;
      if (found.is === 'set-start') set = found.set;
      else if (found.is === 'set-stop') set = undefined;
      else await this.#hear(index, found, line, set);
    }
  }

  async #hear(
    index: number,
    found: Signal,
    line: ConsoleLine,
    set: string | undefined,
  ): Promise<void> {
    const member = this.#owed.device;
    const inSet = set === undefined ? {} : { set };
    switch (found.is) {
      case 'shell-ended':
        throw new StepFailure(
          'shell-ended',
          `the shell of the board ended (status ${found.status}) before its tests were through`,
        );
      case 'runner-ended':
        if (found.action !== index) return;
        throw new StepFailure(
          'shell-ended',
          `the test runner on the board ended (status ${found.status}) before its tests were through`,
        );
      case 'case': {
        const { is: _, ...result } = found;
        return this.#reportSignal({ type: 'RecordResult', member, ...inSet, ...result }, line);
      }
      case 'reference': {
        const { case: name, result, url } = found;
        const command = { type: 'RecordResult', member, ...inSet, case: name, result } as const;
        return this.#reportSignal({ ...command, note: url }, line);
      }
      case 'raise': {
        const reason = found.message === '' ? 'raised by a test' : found.message;
        return this.#reportSignal({ type: 'RaiseMember', member, reason }, line);
      }
      case 'garbled':
        this.#context.log.warn(
          { job: this.#owed.job, device: member, line: found.text },
          'a signal on the console cannot be read',
        );
        return;
      default:
    }
  }

  /** The line's place in the console is its key: reading it again after a restart repeats nothing. */
  async #reportSignal(command: MemberCommand, line: ConsoleLine): Promise<void> {
    await this.#report(command, `signal.${line.at}`, line.end);
  }

  async #note(line: string): Promise<void> {
    await note(this.#console, line);
  }

  /** In words for the member's end; rethrows when the step was taken back. */
  #reasonOf(error: unknown): string {
    if (this.#signal.aborted || error instanceof StepAborted) throw new StepAborted();
    if (error instanceof StepFailure) return error.message;
    const { job, device } = this.#owed;
    this.#context.log.error({ job, device, err: error }, 'a step of a member failed unexpectedly');
    return `the worker failed: ${messageOf(error)}`;
  }

  /**
   * Until it is durable. What cannot be now (the disk is full, the server is away) is tried again as long as the step
   * is owed; what the server refuses for good is not.
   */
  async #report(command: MemberCommand, what: string, at?: number): Promise<void> {
    const { job, device } = this.#owed;
    const key = `${job}.${device}.${what}`;
    while (true) {
      throwIfAborted(this.#signal);
      try {
        const console = at ?? consoleBytes(this.#console);
        await this.#context.server.report(job, command, { key, console });
        return;
      } catch (error) {
        if (ENDED_CODES.has(codeOf(error) ?? '')) throw new StepAborted();
        const about = { job, device, command: command.type, err: error };
        if (isFinal(error)) {
          this.#context.log.error(about, 'the server refused a report');
          return;
        }
        this.#context.log.warn(about, 'a report is not durable yet; trying again');
      }
      await delay(REPORT_RETRY_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }
}

const ENDED_CODES: ReadonlySet<string> = new Set(['member-ended', 'job-ended']);
const FINAL_CODES: ReadonlySet<string> = new Set(['refused', 'rejected', 'illegal']);

function isFinal(error: unknown): boolean {
  const code = codeOf(error);
  return (
    (code !== undefined && FINAL_CODES.has(code)) ||
    (error instanceof Error && (error.name === 'ZodError' || error instanceof TypeError))
  );
}
