/**
 * A whole lab on virtual time: seeded arrivals of jobs, boards that boot, talk, hang and die, workers that come and
 * go, operators who interfere, servers that are killed, a store that fails. The engines, the machines and the
 * scheduler are the real ones. The invariants are looked at after every event.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Engine } from '../../engine/engine.ts';
import { CommandRefused } from '../../engine/live-stream.ts';
import type { MemberCommand } from '../../machines/commands.ts';
import type { RecordedEvent, Verb } from '../../machines/events.ts';
import { isOver } from '../../machines/job/job.ts';
import { type EventStore, StoreUnavailable } from '../../store/port.ts';
import type { BoardRegistration, Owed } from '../../wire/server-port.ts';
import { quiet, VirtualClock } from '../engine/virtual-clock.ts';
import { LogChecker } from '../lab/invariants.ts';
import { anyJob, jobOf, wordsOf } from './jobs.ts';
import { Random } from './random.ts';
import { checkRules } from './rules.ts';
import { Servers } from './servers.ts';

const MINUTE_MS = 60_000;
const BOARDS = 8;
const SETTLE_MINUTES_MAX = 600;
/** Of the boards of each worker, where the lab has limits. */
const JOB_LIMIT = 3;
const user = { actor: 'user:sim' };

export interface SimOptions {
  /** How long faults and new jobs go on, in virtual time. */
  minutes: number;
  /** Stands between every server and the log: a mutant goes here. */
  around?: (store: EventStore) => EventStore;
}

export interface SimReport {
  events: readonly RecordedEvent[];
  jobs: number;
  faults: number;
  /** Of virtual time. */
  hours: number;
}

/** One run. @throws with the first invariant that did not hold */
export async function simulate(seed: number, options: SimOptions): Promise<SimReport> {
  const lab = new SimulatedLab(seed, options);
  await lab.run(options.minutes);
  return lab.report();
}

class SimulatedLab {
  readonly #random: Random;
  readonly #time = new VirtualClock();
  readonly #servers: Servers;
  readonly #checker = new LogChecker();
  readonly #events: RecordedEvent[] = [];
  /** Every other seed has two servers on one log, each with a worker of its own; the others one, with both. */
  readonly #shared: boolean;
  readonly #workers: Map<string, BoardRegistration[]>;
  /** Every third seed has limits. */
  readonly #jobLimit: number | undefined;
  /** Workers whose machine is switched off. */
  readonly #away = new Set<string>();
  /** Boards without power: they neither boot nor talk. */
  readonly #dead = new Set<string>();
  readonly #busy = new Set<string>();
  readonly #began: number;
  #keys = 0;
  #faults = 0;
  #wrong: unknown;

  constructor(seed: number, { around = (store) => store }: SimOptions) {
    this.#random = new Random(seed);
    this.#shared = seed % 2 === 0;
    this.#jobLimit = seed % 3 === 0 ? JOB_LIMIT : undefined;
    const world = { random: this.#random, time: this.#time, shared: this.#shared, around };
    this.#servers = new Servers(world);
    this.#began = this.#time.now();
    const half = (from: number): BoardRegistration[] =>
      Array.from({ length: BOARDS / 2 }, (_, i) => ({
        device: `panda${from + i}`,
        deviceType: 'panda',
        tags: [],
        driver: 'local',
        ...(this.#random.chance(0.5) && { healthCheck: this.#check() }),
      }));
    this.#workers = new Map([
      ['a', half(1)],
      ['b', half(1 + BOARDS / 2)],
    ]);
  }

  #check() {
    const roles = [{ role: 'default', count: 1, deviceType: 'panda', tags: [] }];
    return { everyJobs: 4, everyHours: 2, definition: jobOf('check', roles), document: '{}' };
  }

  async run(minutes: number): Promise<void> {
    this.#servers.store.subscribeAll(0, (events) => this.#look(events));
    for (const name of this.#shared ? ['a', 'b'] : ['a']) await this.#startServer(name);
    for (let minute = 0; minute < minutes; minute++) {
      if (this.#random.chance(0.35)) this.#go(this.#submit());
      if (this.#random.chance(0.25)) await this.#fault();
      await this.#minute();
    }
    await this.#heal();
    await this.#settle();
    // What is late finds nothing to do any more; the hours may make a check due meanwhile, which then ends as well.
    await this.#minute();
    await this.#settle();
    if (this.#wrong !== undefined) throw this.#wrong;
    this.#checker.assertFinished();
    await this.#compare();
  }

  /** Checks may still fail by themselves: somebody is there who repairs what they find bad. */
  async #settle(): Promise<void> {
    for (let minute = 0; minute < SETTLE_MINUTES_MAX && !this.#isDone(); minute++) {
      await this.#minute();
      for (const [stream, { health }] of this.#checker.devices)
        if (health === 'bad') await this.#repair(stream.slice('device-'.length));
    }
  }

  report(): SimReport {
    const jobs = this.#checker.jobs.size;
    const hours = (this.#time.now() - this.#began) / (60 * MINUTE_MS);
    return { events: this.#events, jobs, faults: this.#faults, hours };
  }

  #isDone(): boolean {
    return (
      [...this.#checker.jobs.values()].every(isOver) &&
      [...this.#checker.devices.values()].every((d) => d.heldBy === null)
    );
  }

  async #minute(): Promise<void> {
    for (let step = 0; step < 6; step++) {
      await this.#drive();
      await this.#time.pass(MINUTE_MS / 6);
      if (this.#wrong !== undefined) throw this.#wrong;
    }
    if (this.#random.chance(0.1) && this.#servers.trouble === 0) await this.#compare();
  }

  #look(events: readonly RecordedEvent[]): void {
    try {
      for (const event of events) {
        this.#events.push(event);
        checkRules(event, this.#checker, this.#jobLimit ?? BOARDS);
        this.#checker.take(event);
      }
    } catch (error) {
      this.#wrong ??= error;
    }
  }

  /** Something goes on beside the rest; what goes wrong in it is not lost. */
  #go(what: Promise<unknown>): void {
    what.catch((error: unknown) => {
      this.#wrong ??= error;
    });
  }

  /** Invariant 5: the fold of the log is the live state, at every server. */
  async #compare(): Promise<void> {
    await quiet();
    for (const { name, engine } of this.#servers.running) {
      for (const [stream, folded] of this.#checker.jobs) {
        if (isOver(folded) && !this.#random.chance(0.1)) continue;
        const live = await engine.job(Number(stream.slice(4)));
        if (!isDeepStrictEqual(live, this.#checker.jobs.get(stream)))
          throw new Error(`server ${name}: ${stream} is not the fold of the log`);
      }
      for (const { name: device, state } of engine.devices())
        if (!isDeepStrictEqual(state, this.#checker.devices.get(`device-${device}`)))
          throw new Error(`server ${name}: ${device} is not the fold of the log`);
    }
  }

  // servers, workers, jobs

  async #startServer(name: string): Promise<void> {
    const { engine } = await this.#servers.start(name);
    const own = this.#shared ? [name] : [...this.#workers.keys()];
    for (const worker of own) if (!this.#away.has(worker)) this.#go(this.#connect(engine, worker));
  }

  async #connect(engine: Engine, worker: string): Promise<void> {
    for (;;) {
      try {
        const jobLimit = this.#jobLimit;
        const is = jobLimit === undefined ? {} : { jobLimit };
        return await engine.connectWorker(worker, this.#workers.get(worker) ?? [], is);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        await this.#sleep(5);
      }
    }
  }

  async #submit(): Promise<void> {
    const job = { definition: anyJob(this.#random), document: '{}' };
    const by = { ...user, key: `submission-${++this.#keys}` };
    for (let tries = 0; tries < 20; tries++) {
      if ((await this.#servers.ask((engine) => engine.submit(job, by))) !== undefined) return;
      await this.#sleep(10);
    }
  }

  #sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => void this.#time.clock().after(seconds * 1000, resolve));
  }

  // boards and their workers

  /** Every worker that is here does what is owed to its boards. */
  async #drive(): Promise<void> {
    for (const worker of this.#workers.keys()) {
      if (this.#away.has(worker)) continue;
      const owed = await this.#servers.ask((engine) => engine.owed(worker));
      for (const each of owed ?? []) {
        const id = `${each.job} ${each.device}`;
        if (this.#busy.has(id)) continue;
        this.#busy.add(id);
        this.#go(this.#step(each).finally(() => this.#busy.delete(id)));
      }
    }
  }

  async #step(owed: Owed): Promise<void> {
    const { device: member, step } = owed;
    if (step.do === 'nothing') return;
    if (this.#dead.has(member)) {
      await this.#sleep(30);
      if (!this.#dead.has(member)) return;
      await this.#tell(owed, { type: 'FailMember', member, reason: 'no power', fault: 'board' });
      return;
    }
    if (step.do === 'boot') {
      await this.#tell(owed, { type: 'StartBoot', member });
      // A boot that hangs: the worker sees it after a while, and tries again.
      await this.#sleep(this.#random.chance(0.05) ? 300 : this.#random.between(5, 40));
      if (!this.#dead.has(member)) await this.#tell(owed, { type: 'ConfirmBoot', member });
      return;
    }
    const action = step.index;
    await this.#tell(owed, { type: 'StartAction', member, action });
    const isShell = step.action.command === 'lava_command_run';
    const went = isShell ? await this.#talk(owed) : await this.#deploy();
    if (!went || this.#dead.has(member)) return;
    const outcome = this.#random.chance(0.04) ? 'failed' : 'ok';
    await this.#tell(owed, { type: 'EndAction', member, action, outcome });
  }

  async #deploy(): Promise<boolean> {
    await this.#sleep(this.#random.between(5, 60));
    return true;
  }

  /** Until a server has it, or it is refused. */
  async #tell({ job }: Owed, command: MemberCommand): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      const done = await this.#servers.ask(async (engine) => {
        try {
          await engine.member(job, command, { actor: 'worker:sim' });
        } catch (error) {
          if (!(error instanceof CommandRefused)) throw error;
        }
        return true;
      });
      if (done) return;
      await this.#sleep(5);
    }
  }

  /** What a member says; `false`: it died, or nobody listens to it any more. */
  async #talk({ job, device, role, jobName }: Owed): Promise<boolean> {
    for (const line of wordsOf(jobName, role)) {
      if (this.#random.chance(0.02)) await this.#sleep(2000);
      const [verb = '', ...words] = line.split(' ');
      if (this.#dead.has(device)) return false;
      if (verb === 'sleep') await this.#sleep(Number(words[0]));
      else if (!(await this.#say(job, device, verb as Verb, words))) return false;
    }
    return true;
  }

  /** One verb, again and again under its one key, at whichever server is there. */
  async #say(job: number, device: string, verb: Verb, words: string[]): Promise<boolean> {
    const key = `key-${++this.#keys}`;
    let refused = false;
    while (!refused && !this.#dead.has(device)) {
      const line = new AbortController();
      // Lines break: nobody waits longer than this without coming again.
      const breaksAfter = this.#random.between(5, 120) * 1000;
      const callOff = this.#time.clock().after(breaksAfter, () => line.abort());
      const end = await this.#servers.ask(async (engine) => {
        try {
          return await engine.call(job, device, verb, words, { key }, line.signal);
        } catch (error) {
          refused = error instanceof CommandRefused;
          throw error;
        }
      });
      callOff();
      if (end !== undefined) return true;
      await this.#sleep(1);
    }
    return false;
  }

  // what goes wrong

  async #fault(): Promise<void> {
    this.#faults++;
    const device = `panda${this.#random.between(1, BOARDS)}`;
    const faults = [
      () => this.#killServer(),
      () => this.#killServer(),
      () => this.#breakStore(),
      () => this.#breakStore(),
      () => this.#slowStore(),
      () => this.#losePower(device),
      () => this.#losePower(device),
      () => this.#loseWorker(),
      () => this.#jump(),
      () => this.#operate(device),
      () => this.#operate(device),
      () => this.#cancelOne(),
    ];
    await this.#random.of(faults)();
  }

  async #killServer(): Promise<void> {
    if (this.#servers.running.length === 0) return;
    const is = this.#random.of(this.#servers.running);
    this.#servers.kill(is);
    await this.#time.pass(this.#random.of([0, 1, 20, 150]) * 1000);
    await this.#startServer(is.name);
  }

  async #breakStore(): Promise<void> {
    this.#servers.trouble = this.#random.of([0.05, 0.3, 1]);
    await this.#time.pass(this.#random.between(1, 40) * 1000);
    this.#servers.trouble = 0;
  }

  /** Appends take longer than a reservation holds. */
  async #slowStore(): Promise<void> {
    this.#servers.slowSeconds = this.#random.of([2, 8, 20]);
    await this.#time.pass(this.#random.between(10, 90) * 1000);
    this.#servers.slowSeconds = 0;
  }

  async #losePower(device: string): Promise<void> {
    this.#dead.add(device);
    this.#go(this.#sleep(this.#random.between(30, 600)).then(() => this.#dead.delete(device)));
  }

  /** Only where one server has the log for itself: elsewhere a worker goes with its server. */
  async #loseWorker(): Promise<void> {
    if (this.#shared || this.#away.size > 0) return;
    const worker = this.#random.of([...this.#workers.keys()]);
    const others = [...this.#workers.keys()].filter((each) => each !== worker);
    this.#away.add(worker);
    await this.#servers.ask((engine) => engine.loseWorkersBut(others, 'no word from it'));
    this.#go(this.#sleep(this.#random.between(10, 400)).then(() => this.#returnWorker(worker)));
  }

  async #returnWorker(worker: string): Promise<void> {
    this.#away.delete(worker);
    for (const { engine } of this.#servers.running) await this.#connect(engine, worker);
  }

  /** The machine slept: every timer comes late. */
  async #jump(): Promise<void> {
    await this.#time.jump(this.#random.between(1, 300) * 1000);
  }

  async #operate(device: string): Promise<void> {
    const to = this.#random.of(['good', 'unknown', 'looping', 'bad', 'maintenance'] as const);
    const force = this.#random.chance(0.5);
    const orders = [
      (engine: Engine) => engine.setHealth(device, { to, reason: 'says so', force }, user),
      (engine: Engine) => engine.retire(device, 'broken', user),
      (engine: Engine) => engine.restore(device, 'repaired', user),
      (engine: Engine) => engine.setOffline(device, 'cable', user),
      (engine: Engine) => engine.setOnline(device, user),
    ];
    await this.#servers.ask(this.#random.of(orders));
  }

  async #cancelOne(): Promise<void> {
    const latest = Math.max(1, this.#checker.jobs.size);
    const id = this.#random.between(Math.max(1, latest - 5), latest);
    const priority = this.#random.between(0, 100);
    const orders = [
      (engine: Engine) => engine.cancel(id, 'enough', user),
      (engine: Engine) => engine.setPriority(id, priority, user),
    ];
    await this.#servers.ask(this.#random.of(orders));
  }

  /** No more faults: everything is repaired, and now everything must come to its end. */
  async #heal(): Promise<void> {
    this.#servers.trouble = 0;
    this.#servers.slowSeconds = 0;
    this.#dead.clear();
    for (const worker of [...this.#away]) await this.#returnWorker(worker);
    for (let n = 1; n <= BOARDS; n++) {
      const device = `panda${n}`;
      const orders = [
        (engine: Engine) => engine.restore(device, 'repaired', user),
        (engine: Engine) => engine.setOnline(device, user),
      ];
      for (const order of orders) await this.#servers.ask(order);
      await this.#repair(device);
    }
  }

  async #repair(device: string): Promise<void> {
    const to = { to: 'unknown', reason: 'repaired' } as const;
    await this.#servers.ask((engine) => engine.setHealth(device, to, user));
  }
}
