/** What every driver must do, whatever its boards are: one suite for all, each of its cases a sentence. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { consoleBytes, consolePath } from '../../dispatcher/console.ts';
import type {
  Driver,
  DriverContext,
  OpenConsole,
  OpenDriver,
  Seat,
} from '../../dispatcher/drivers/driver.ts';
import { StepAborted } from '../../dispatcher/failure.ts';
import { type DriverSettings, settingsOf } from '../../submission/lab-drivers.ts';
import { boardFiles, hashOfFolder, until } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';

export interface Contract {
  open: OpenDriver;
  /** Why a case does not hold for this kind, by its title. */
  skipped?: Readonly<Record<string, string>>;
  /** How the lab says that a board is driven; `folder`: for what it needs. */
  settings?(device: string, folder: string): DriverSettings;
}

/** A kernel may boot first. */
const TYPED_MAX = 10;
const TYPED_SECONDS = 10;
const DEVICES = ['board-a', 'board-b'];
const seatOf = (device: string, job = 1): Seat => ({
  ...{ job, device, lease: `lease-${job}`, group: DEVICES },
});
/** What a kind of board cannot do is refused in words. */
function saysWhy(error: unknown): undefined {
  expect(error).toMatchObject({
    code: 'not-possible',
    message: expect.stringMatching(/(\w+ ){3}/),
  });
}
/** Types a line until it is answered, as people do at a board that boots. */
async function answers(console: OpenConsole, line: string, answer: RegExp): Promise<void> {
  const text = () => readFileSync(console.file, 'latin1');
  for (let tried = 0; tried < TYPED_MAX && !answer.test(text()); tried += 1) {
    expect(await console.type(Buffer.from(`${line}\n`))).toBe(true);
    await until(() => answer.test(text()), text, TYPED_SECONDS).catch(() => undefined);
  }
  expect(text()).toMatch(answer);
}
const never = () => new AbortController().signal;

/** The drivers of one case, their folder and what is left of them: gone afterwards. */
class Bench {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'muster-driver-')));
  readonly dataDir = join(this.folder, "data, it's here");
  readonly errors: string[] = [];
  readonly #opened: Driver[] = [];
  readonly #kind: string;
  readonly #contract: Contract;

  constructor(kind: string, contract: Contract) {
    this.#kind = kind;
    this.#contract = contract;
    mkdirSync(this.dataDir);
  }

  context(given: Partial<DriverContext> = {}): DriverContext {
    const boards = DEVICES.map((name) => ({
      ...{ name, type: 'panda', tags: [], driver: this.#kind, image: 'host:' },
      settings: this.#contract.settings?.(name, this.folder),
    }));
    return {
      kind: this.#kind,
      kindOf: () => this.#kind,
      boards,
      lab: boards,
      dataDir: this.dataDir,
      hash: hashOfFolder(this.dataDir),
      boardFiles,
      limits: { consoleBytes: 1_048_576, bootSeconds: 60, ...SOURCE_LIMITS },
      allowFiles: [],
      fetchMark: {},
      consoleFile: (job, device) => consolePath(this.dataDir, job, device),
      log: {
        info: () => undefined,
        warn: () => undefined,
        error: (_, message) => void this.errors.push(message),
      },
      ...given,
    };
  }

  /** A life of the worker. */
  async live(given: Partial<DriverContext> = {}): Promise<Driver> {
    const driver = await this.#contract.open(this.context(given));
    this.#opened.push(driver);
    return driver;
  }

  console(device: string, job = 1): string {
    const file = consolePath(this.dataDir, job, device);
    return consoleBytes(file) === 0 ? '' : readFileSync(file, 'utf8');
  }

  async printed(device: string, text: string): Promise<void> {
    await until(
      () => this.console(device).includes(text),
      () => this.console(device),
    );
  }

  async remove(): Promise<void> {
    for (const driver of this.#opened) {
      for (const device of DEVICES) await driver.tearDown(device);
      await driver.close();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `name`: what the lab calls the kind. */
export function describeDriver(title: string, name: string, contract: Contract): void {
  const { skipped = {} } = contract;
  let bench: Bench;
  const it = (sentence: string, run: () => Promise<void>) => {
    const why = skipped[sentence];
    if (why !== undefined) console.log(`skipped: ${title} ${sentence}: ${why}`);
    test.skipIf(why !== undefined)(sentence, { timeout: 120_000 }, run);
  };
  const booted = async (driver: Driver, device = 'board-a') => {
    const seat = seatOf(device);
    await driver.boot(seat, 'host:', '', never());
    return seat;
  };

  describe(title, () => {
    beforeEach(() => {
      bench = new Bench(name, contract);
    });
    afterEach(() => bench.remove());

    it('is in the hands of nobody at first, and off', async () => {
      const driver = await bench.live();
      expect(await driver.takeOver()).toEqual([]);
      expect(driver.holding('board-a')).toBeUndefined();
      expect(driver.alive(seatOf('board-a'))).toBe(false);
      await driver.powerOff('board-a');
      await driver.tearDown('board-a');
      expect(driver.holding('board-a')).toBeUndefined();
    });

    it('is in the hands of the member that deployed it, and of no other', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      await driver.deploy(seatOf('board-a'), 'host:', never());
      expect(driver.holding('board-a')).toEqual({ device: 'board-a', job: 1, lease: 'lease-1' });
      expect(driver.holding('board-b')).toBeUndefined();
      expect(driver.alive(seatOf('board-a'))).toBe(false);
    });

    it('refuses in words an image that cannot be had', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      await expect(
        driver.deploy(seatOf('board-a'), 'file:///no/such/image.tar', never()),
      ).rejects.toMatchObject({ code: 'image-refused', message: expect.stringContaining('image') });
    });

    it('boots what was not deployed, and its shell runs what is typed', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      expect(driver.alive(seat)).toBe(true);
      expect(driver.alive({ ...seat, lease: 'another' })).toBe(false);
      await driver.type(seat, 'echo "sum $((40 + 2))"');
      await bench.printed('board-a', 'sum 42\n');
    });

    it('reads what was handed to it, and then what was handed in its place', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      for (const text of ['first', 'second']) {
        const made = await driver.staging(seat);
        mkdirSync(join(made, 'folder'));
        writeFileSync(join(made, 'folder', 'file'), `it is the ${text}\n`);
        await driver.hand(seat, join(made, 'folder'), 'handed');
        await driver.type(seat, `cat "${driver.home(seat)}/handed/file"`);
        await bench.printed('board-a', `it is the ${text}\n`);
      }
    });

    it('has the verbs in its path', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      await driver.type(seat, 'command -v lava-test-case');
      await bench.printed('board-a', '/lava-test-case\n');
    });

    it('is off when its boot is taken back', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const stop = new AbortController();
      const booting = driver.boot(seatOf('board-a'), 'host:', '', stop.signal);
      stop.abort();
      await expect(booting).rejects.toBeInstanceOf(StepAborted);
      expect(driver.alive(seatOf('board-a'))).toBe(false);
    });

    it('prints nothing more once it is off, and boots again', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      await driver.type(seat, '(trap "" TERM HUP INT; while :; do echo again; done) &');
      await bench.printed('board-a', 'again\nagain\n');
      await driver.powerOff('board-a');
      expect(driver.alive(seat)).toBe(false);
      expect(driver.holding('board-a')).toMatchObject({ job: 1 });
      const size = consoleBytes(consolePath(bench.dataDir, 1, 'board-a'));
      await booted(driver);
      const text = bench.console('board-a').slice(size);
      expect(text).not.toContain('again\n');
      expect(driver.alive(seat)).toBe(true);
    });

    it('refuses a line in words when it is off', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      await driver.powerOff('board-a');
      await expect(driver.type(seat, 'echo hello')).rejects.toMatchObject({ code: 'board-gone' });
    });

    it('leaves nothing but its console when it is torn down, and the other board runs on', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      const other = await booted(driver, 'board-b');
      await driver.type(seat, 'echo hello');
      await bench.printed('board-a', 'hello\n');
      await driver.tearDown('board-a');
      expect(driver.holding('board-a')).toBeUndefined();
      expect(driver.alive(seat)).toBe(false);
      expect(driver.alive(other)).toBe(true);
      expect(bench.console('board-a')).toContain('hello\n');
      await driver.tearDown('board-a');
    });

    it('is known to the next life of its worker, with where its action began', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      expect(driver.actionMark(seat)).toBeUndefined();
      await driver.setActionMark(seat, { index: 3, from: 17 });
      await driver.close();
      const next = await bench.live();
      expect(await next.takeOver()).toEqual([{ device: 'board-a', job: 1, lease: 'lease-1' }]);
      expect(next.actionMark(seat)).toEqual({ index: 3, from: 17 });
      expect(next.actionMark({ ...seat, lease: 'another' })).toBeUndefined();
      await next.setActionMark(seat, undefined);
      expect(next.actionMark(seat)).toBeUndefined();
    });

    it('runs on when its worker lets go of it', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      await driver.close();
      const next = await bench.live();
      await next.takeOver();
      expect(next.alive(seat)).toBe(true);
      await next.type(seat, 'echo still here');
      await bench.printed('board-a', 'still here\n');
    });

    it('that is of no lab any more, or whose state cannot be read, is cleared away', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      await booted(driver);
      await booted(driver, 'board-b');
      await driver.close();
      writeFileSync(join(bench.dataDir, 'boards/board-b/state.json'), '{"job":');
      const { boards } = bench.context();
      const next = await bench.live({ boards: boards.filter(({ name }) => name !== 'board-a') });
      expect(await next.takeOver()).toEqual([]);
      expect(next.alive(seatOf('board-a'))).toBe(false);
      expect(bench.errors).toEqual([]);
    });

    it('has the lab’s commands run before its power, with its shell, and when it is off', async () => {
      const said = join(bench.folder, 'said');
      const say = (word: string) => `echo "${word} $MUSTER_DEVICE $MUSTER_JOB" >>'${said}'`;
      const words = { pre_boot: say('pre'), post_boot: say('post'), cleanup: say('clean') };
      const boards = bench.context().boards.map(({ settings = settingsOf(), ...board }) => ({
        ...board,
        settings: { ...settings, commands: { ...settings.commands, ...words } },
      }));
      const driver = await bench.live({ boards });
      await driver.takeOver();
      await booted(driver);
      expect(readFileSync(said, 'utf8')).toBe('pre board-a 1\npost board-a 1\n');
      await driver.tearDown('board-a');
      expect(readFileSync(said, 'utf8')).toBe('pre board-a 1\npost board-a 1\nclean board-a 1\n');
    });

    it('has its power switched by an operator, or says in words that it has none', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      for (const power of ['off', 'off', 'on', 'on', 'reset', 'off'] as const)
        await driver.power('board-a', power, never()).catch(saysWhy);
      expect(driver.holding('board-a')).toBeUndefined();
      await booted(driver);
    });

    it('lets an operator type on its console, or says in words that it has none', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const console = await driver.openConsole('board-a', never()).catch(saysWhy);
      if (console === undefined) return;
      expect(driver.holding('board-a')).toBeUndefined();
      await answers(console, 'echo "sum $((40 + 2))"', /sum 42\r?\n/);
      expect(console.gone()).toBeUndefined();
      await console.close();
      expect(console.gone()).toMatch(/\w+ \w+/);
      expect(await console.type(Buffer.from('echo hello\n'))).toBe(false);
      await console.close();
      expect(existsSync(join(bench.dataDir, 'boards/board-a'))).toBe(false);
      await booted(driver);
    });

    it('takes a huge paste on its console to the last byte, and whatever else is typed', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const console = await driver.openConsole('board-a', never()).catch(saysWhy);
      if (console === undefined) return;
      await answers(console, 'echo "sum $((40 + 2))"', /sum 42\r?\n/);
      const words = Array.from({ length: 1_000 }, (_, at) => `: line ${at} of a paste\n`).join('');
      expect(await console.type(Buffer.from(words))).toBe(true);
      expect(await console.type(Buffer.from([0xff, 0xfe, 0x80, 0x1b, 0x5b, 0x41, 0x15]))).toBe(
        true,
      );
      await answers(console, '\nexec 2>&1; echo "is $((1 + 1)) here"', /is 2 here/);
      await console.close();
    });

    it('is nobody’s in the next life of its worker when an operator had its console', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const console = await driver.openConsole('board-a', never()).catch(saysWhy);
      if (console === undefined) return;
      const next = await bench.live();
      expect(await next.takeOver()).toEqual([]);
      expect(console.gone()).toMatch(/\w+ \w+/);
      expect(existsSync(join(bench.dataDir, 'boards/board-a'))).toBe(false);
      expect(bench.errors).toEqual([]);
      await console.close();
      await booted(next);
    });

    it('of another kind is left alone', async () => {
      const driver = await bench.live();
      await driver.takeOver();
      const seat = await booted(driver);
      const other = await bench.live({ kind: 'another', boards: [], kindOf: () => 'another' });
      expect(await other.takeOver()).toEqual([]);
      expect(driver.alive(seat)).toBe(true);
    });
  });
}
