/**
 * What the lab's file says of how boards are driven: fields of a device type, and the same of a single board, which
 * come before those of its type. Kinds are told apart by their section; a section of another kind is refused.
 */
import { z } from 'zod';
import { TIMEOUT_SECONDS_MAX } from '../machines/names.ts';
import { FETCHABLE, isAbsolutePath, isFetchable } from './sources.ts';

/** The kinds whose boards have their address in the bridge's subnet; others have one of the lab's. */
export const BRIDGED: ReadonlySet<string> = new Set(['local', 'qemu']);

export const DRIVERS = ['local', 'qemu', 'console', 'ssh'] as const;

const COMMAND_CHARACTERS_MAX = 65_536;
const WORDS_CHARACTERS_MAX = 1_024;
const COMMAND_SECONDS_DEFAULT = 120;
const MEMORY_MB_DEFAULT = 256;
const MEMORY_MB_MAX = 1_048_576;
const CPUS_MAX = 256;
const CHARACTER_DELAY_MS_MAX = 1_000;
const PORT_MAX = 65_535;
const SILENT_SECONDS_DEFAULT = 60;

const whole = (unit: string, min: number, max: number) => {
  const expected = `a whole number of ${unit} from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
};
const noNul = (text: string) => !text.includes('\0');
const Command = z
  .string()
  .min(1, 'a command of the worker')
  .max(COMMAND_CHARACTERS_MAX, `at most ${COMMAND_CHARACTERS_MAX} characters`)
  .refine(noNul, 'a command without NUL');
const Line = z
  .string()
  .max(WORDS_CHARACTERS_MAX, `at most ${WORDS_CHARACTERS_MAX} characters`)
  .refine((text) => !/[\0\r\n]/.test(text), 'one line');
const Pattern = z
  .string()
  .min(1, 'a regular expression')
  .max(WORDS_CHARACTERS_MAX, `at most ${WORDS_CHARACTERS_MAX} characters`)
  .refine(isPattern, 'a regular expression that matches some text and not none');
const Address = z.string().refine(isFetchable, FETCHABLE);
const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'a sha256: 64 hexadecimal digits in lower case');
const File = z.string().refine(isAbsolutePath, 'an absolute path without ".."');
const Word = z.string().regex(/^[^\s\0-][^\s\0]{0,254}$/, 'one word without blanks');

const Seconds = whole('seconds', 1, TIMEOUT_SECONDS_MAX);
const Arch = z.enum(['x86_64', 'aarch64']);
const Accel = z.enum(['tcg', 'kvm']);
const Memory = whole('MiB', 16, MEMORY_MB_MAX);
const Cpus = whole('processors', 1, CPUS_MAX);
const Argument = z.string().refine(noNul, 'words without NUL');

/** One that matches the empty text would be found at once, always. */
function isPattern(source: string): boolean {
  try {
    return !new RegExp(source, 'm').test('');
  } catch {
    return false;
  }
}

/** Commands of the worker around what a driver does. */
const Commands = z.strictObject({
  pre_boot: Command.optional(),
  post_boot: Command.optional(),
  cleanup: Command.optional(),
  seconds: Seconds.optional(),
});

/** From power to a shell on the console. */
const Login = z.strictObject({
  prompts: z.array(Pattern).min(1, 'at least one prompt').optional(),
  auto_login: z
    .strictObject({
      login_prompt: Pattern.default('login: ?$'),
      username: Line,
      password_prompt: Pattern.default('[Pp]assword: ?$'),
      password: Line.optional(),
      login_commands: z.array(Line).default([]),
    })
    .optional(),
  bootloader: z
    .strictObject({
      interrupt_prompt: Pattern.optional(),
      interrupt_characters: z.string().min(1).max(WORDS_CHARACTERS_MAX).default(' '),
      prompt: Pattern,
      commands: z.array(Line),
    })
    .optional(),
  character_delay_ms: whole('milliseconds', 0, CHARACTER_DELAY_MS_MAX).optional(),
  home: File.optional(),
  /** `line`: what its tests say goes over its line though it has a network. */
  verbs: z.enum(['network', 'line']).optional(),
});

const Image = z.strictObject({ url: Address, sha256: Digest.optional() });

const Qemu = z.strictObject({
  arch: Arch.optional(),
  accel: Accel.optional(),
  memory_mb: Memory.optional(),
  cpus: Cpus.optional(),
  kernel: Image.optional(),
  initrd: Image.optional(),
  append: Line.optional(),
  firmware: File.optional(),
  programs: z.array(Word).optional(),
  /** More words for QEMU itself. */
  args: z.array(Argument).optional(),
});

const Console = z.strictObject({
  connect: Command.optional(),
  power_on: Command.optional(),
  power_off: Command.optional(),
  reset: Command.optional(),
  deploy: Command.optional(),
  consoles: z
    .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'a short name'), Command)
    .optional(),
  images: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'a short name'), Image).optional(),
  /** A board that says nothing at all for so long after its power came is not there. */
  silent_seconds: Seconds.optional(),
  server_url: z.url({ protocol: /^https?$/, error: 'an http(s) URL' }).optional(),
});

const Ssh = z.strictObject({
  host: Word.optional(),
  user: Word.optional(),
  port: whole('ports', 1, PORT_MAX).optional(),
  key: File.optional(),
  known_hosts: File.optional(),
  config: File.optional(),
  /** Where the folder of a job is made on it. */
  home: File.optional(),
  server_url: z.url({ protocol: /^https?$/, error: 'an http(s) URL' }).optional(),
});

/** The sections, of a device type and of a board alike. */
export const DriverFields = {
  commands: Commands.optional(),
  login: Login.optional(),
  qemu: Qemu.optional(),
  console: Console.optional(),
  ssh: Ssh.optional(),
};
const Fields = z.strictObject(DriverFields);
export type DriverFields = z.infer<typeof Fields>;

/** How one board is driven, every default filled in. */
export const DriverSettings = z.strictObject({
  commands: Commands.extend({ seconds: Seconds.default(COMMAND_SECONDS_DEFAULT) }),
  login: Login,
  qemu: Qemu.extend({
    arch: Arch.default('x86_64'),
    accel: Accel.default('tcg'),
    memory_mb: Memory.default(MEMORY_MB_DEFAULT),
    cpus: Cpus.default(1),
    programs: z.array(Word).default([]),
    args: z.array(Argument).default([]),
  }),
  console: Console.extend({ silent_seconds: Seconds.default(SILENT_SECONDS_DEFAULT) }),
  ssh: Ssh,
});
export type DriverSettings = z.infer<typeof DriverSettings>;
export type Login = z.infer<typeof Login>;
export type QemuSettings = DriverSettings['qemu'];
export type ConsoleSettings = DriverSettings['console'];
export type SshSettings = z.infer<typeof Ssh>;

/** The board's own fields over those of its type. */
export const settingsOf = (type: DriverFields = {}, board: DriverFields = {}): DriverSettings =>
  DriverSettings.parse({
    commands: { ...type.commands, ...board.commands },
    login: { ...type.login, ...board.login },
    qemu: { ...type.qemu, ...board.qemu },
    console: { ...type.console, ...board.console },
    ssh: { ...type.ssh, ...board.ssh },
  });
