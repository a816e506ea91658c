/**
 * One step of one member, from its start to its report: deploy, boot, or an action with a shell.
 * What is to be done comes from the server each time; a step that was begun in an earlier life is begun again or taken
 * up, and every report carries a key that says which step it is of, so that a repeat changes nothing.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MemberCommand } from '../machines/commands.ts';
import type { Action } from '../machines/definition.ts';
import type { Fault } from '../machines/events.ts';
import { withoutSecrets } from '../submission/addresses.ts';
import type { Owed, OwedStep, ServerPort } from '../wire/server-port.ts';
import { consoleBytes, note } from './console.ts';
import type { Driver, Log, Seat } from './drivers/driver.ts';
import {
  codeOf,
  isDiskFull,
  messageOf,
  StepAborted,
  StepFailure,
  throwIfAborted,
} from './failure.ts';
import { Outbox } from './outbox.ts';
import { shellQuoted } from './programs.ts';
import { meaningOf } from './refusals.ts';
import { type Plan, readPlan, ShellWatch, writePlan } from './shell-watch.ts';
import type { Gathered, SourceLimits } from './sources.ts';
import { layOutSuites } from './suites.ts';
import { type BoardLine, lineVariables } from './transport/board-line.ts';

export interface StepContext {
  server: ServerPort;
  driver: Driver;
  log: Log;
  allowFiles: readonly string[];
  consoleBytesMax: number;
  sourceLimits: SourceLimits;
  gitConfigFile: string;
  /** In the environment of programs that fetch, so that leftovers of a crash are found. */
  fetchMark: Record<string, string>;
  consoleFile(job: number, device: string): string;
  /** Carries what the board says over its console. */
  line: Pick<BoardLine, 'of'>;
}

/** A step with the image that its board boots. */
export interface Task extends Owed {
  image: string;
  /** Whether that is the lab's own choice for the type: a board that cannot boot it is at fault itself. */
  isLabImage: boolean;
}

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
  readonly #outbox: Outbox<Report>;
  #isBooting = false;

  constructor(context: StepContext, owed: Task, signal: AbortSignal) {
    this.#context = context;
    this.#owed = owed;
    this.#seat = seatOf(owed);
    this.#signal = signal;
    this.#console = context.consoleFile(owed.job, owed.device);
    this.#outbox = new Outbox((report) => this.#send(report), signal);
  }

  async run(): Promise<void> {
    const { step } = this.#owed;
    throwIfAborted(this.#signal);
    if (step.do === 'boot') await this.#implicitBoot();
    else if (step.do === 'run') await this.#action(step);
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

  async #action({ index, action, begun }: Extract<OwedStep, { do: 'run' }>): Promise<void> {
    const member = this.#owed.device;
    const again = begun ? ' (taken up again)' : '';
    await this.#note(`action ${index} ${action.command} starts${again}`);
    await this.#report({ type: 'StartAction', member, action: index }, `start.${index}`);
    let end: { outcome: 'ok' } | { outcome: 'failed'; reason: string; fault?: Fault };
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
  #faultOf(error: unknown): { fault?: Fault } {
    if (!(error instanceof StepFailure) || isDiskFull(error)) return { fault: 'worker' };
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
      ...lineVariables(this.#owed, driver.home(this.#seat)),
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
    const kept = driver.actionMark(seat);
    const begun =
      kept?.index === index && kept.nonce !== undefined
        ? { ...kept, nonce: kept.nonce, suites: await readPlan(this.#planFile) }
        : undefined;
    const plan =
      begun?.suites === undefined
        ? await this.#prepare(index, action)
        : { ...begun, suites: begun.suites };
    const relay = this.#context.line.of(this.#owed, {
      ...{ console: this.#console, log: this.#context.log },
      access: () => this.#context.server.access(this.#owed.job, this.#owed.device),
      type: (line) => driver.type(seat, line),
      note: (line) => this.#note(line),
    });
    // The server may listen elsewhere since the board booted.
    const staging = await driver.staging(seat);
    await writeFile(join(staging, 'env'), await this.#environment(), { mode: 0o600 });
    await driver.hand(seat, join(staging, 'env'), 'env');
    // Typed again after a restart of the server: the runner has a lock, and the second call does nothing. The quotes
    // are for a console that echoes: what is typed is not what is printed.
    const home = driver.home(seat);
    const runner = `${shellQuoted(`${home}/bin/lava-test-runner`)} ${shellQuoted(`${home}/${index}`)}`;
    await driver.type(
      seat,
      `${runner} ${plan.nonce}; echo '<MUSTER_RUNNER_ENDED ${plan.nonce} '$?'>'`,
    );
    relay.listen();
    const watch = new ShellWatch({
      member: this.#owed.device,
      plan,
      console: this.#console,
      bytesMax: this.#context.consoleBytesMax,
      signal: this.#signal,
      gone: () => driver.gone(seat),
      type: (line) => relay.type(line),
      report: (command, what, end) => this.#outbox.add({ command, what, end }),
      reported: () => this.#outbox.settled(),
      note: (line) => this.#note(line),
      frame: (text, at) => relay.hear(text, at),
      call: (call, place) => void relay.callUpstream(call, place),
    });
    await watch.untilEnd().finally(() => relay.rest());
  }

  /** Beside the console: what a server that starts anew must know of an action that runs. */
  get #planFile(): string {
    return `${this.#console}.plan`;
  }

  async #prepare(
    index: number,
    action: Extract<Action, { command: 'lava_test_shell' | 'lava_command_run' }>,
  ): Promise<Plan> {
    const { driver } = this.#context;
    const folder = await driver.staging(this.#seat);
    const suites = await layOutSuites(action, folder, this.#suiteOptions());
    const member = this.#owed.device;
    for (const { rules: _, fixups: __, expected, gathered, ...prepared } of suites) {
      const what = `prepare.${prepared.suite}.${'commit' in prepared.source ? prepared.source.commit : ''}`;
      const asked = expected.length === 0 ? {} : { expected };
      const kept = await this.#keepSources(gathered);
      await this.#report(
        { type: 'PrepareSuite', member, action: index, ...prepared, ...asked, ...kept },
        what,
      );
    }
    await driver.hand(this.#seat, folder, String(index));
    await this.#note('running tests');
    await writePlan(this.#planFile, suites);
    const nonce = randomBytes(NONCE_BYTES).toString('hex');
    const from = consoleBytes(this.#console);
    await driver.setActionMark(this.#seat, { index, from, nonce });
    return { nonce, from, suites };
  }

  /** What cannot be kept is not there for who asks later; the test runs. */
  async #keepSources({ list, texts }: Gathered): Promise<{ sources?: string }> {
    const content = Buffer.from(JSON.stringify(list));
    const sources = createHash('sha256').update(content).digest('hex');
    try {
      await this.#context.server.keep([...texts.values(), content]);
      return { sources };
    } catch (error) {
      const { job, device } = this.#owed;
      this.#context.log.warn({ job, device, err: error }, 'what a suite runs could not be kept');
      return {};
    }
  }

  #suiteOptions() {
    const { allowFiles, sourceLimits, gitConfigFile, fetchMark } = this.#context;
    return {
      limits: sourceLimits,
      suitesBefore: this.#owed.suitesBefore,
      allowFiles,
      gitConfigFile,
      mark: fetchMark,
      signal: this.#signal,
      note: (line: string) => this.#note(line),
    };
  }

  async #note(line: string): Promise<void> {
    await note(this.#console, withoutSecrets(line));
  }

  /** In words for the member's end; rethrows when the step was taken back. */
  #reasonOf(error: unknown): string {
    if (this.#signal.aborted || error instanceof StepAborted) throw new StepAborted();
    if (error instanceof StepFailure) return withoutSecrets(error.message);
    const { job, device } = this.#owed;
    this.#context.log.error({ job, device, err: error }, 'a step of a member failed unexpectedly');
    return withoutSecrets(`the worker failed: ${messageOf(error)}`);
  }

  /** Resolves when it is durable, and all that was reported before it. */
  async #report(command: MemberCommand, what: string, end?: number): Promise<void> {
    await this.#outbox.add({ command, what, end });
    await this.#outbox.settled();
  }

  /** What cannot be now is sent again, what the server refuses for good is not. */
  async #send({ command, what, end }: Report): Promise<'done' | 'again'> {
    throwIfAborted(this.#signal);
    const { job, device } = this.#owed;
    const key = `${job}.${device}.${what}`;
    try {
      const console = end ?? consoleBytes(this.#console);
      await this.#context.server.report(job, command, { key, console });
      return 'done';
    } catch (error) {
      const meaning = meaningOf(error);
      const about = { job, device, command: command.type, err: error };
      if (meaning === 'over') throw new StepAborted();
      if (meaning === 'again') {
        this.#context.log.warn(about, 'a report is not durable yet; trying again');
        return 'again';
      }
      this.#context.log.error(about, 'the server refused a report');
      await this.#note(`the server refused a report (${command.type}): ${messageOf(error)}`);
      return 'done';
    }
  }
}

/** `what`: its name within the member, for its key. `end`: the place in the console that it is of. */
interface Report {
  command: MemberCommand;
  what: string;
  end?: number | undefined;
}
const NONCE_BYTES = 8;
