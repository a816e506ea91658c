/** The names that events carry, their limits and the rules they come from. */
import { z } from 'zod';

export const MESSAGE_ID_BYTES_MAX = 255;
export const MESSAGE_BYTES_MAX = 65_536;
export const GROUP_MEMBERS_MAX = 10_000;
export const PRIORITY_MAX = 100;
export const PRIORITY_DEFAULT = 50;
export const UNREACHABLE_GRACE_SECONDS_DEFAULT = 30;
/** A year: long enough for any test, short enough that `at + timeout` stays an exact integer. */
export const TIMEOUT_SECONDS_MAX = 31_536_000;

/** A device (board) name: also a host name, a folder and the end of a stream name. */
export const DeviceName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'a host name of 1 to 63 characters');
export type DeviceName = z.infer<typeof DeviceName>;

/** A role: one word, printed by `lava-role` and split off by TAB in `lava-group`. */
export const RoleName = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'letters, digits and _ . -');
export type RoleName = z.infer<typeof RoleName>;

/** A message id: any run of characters without whitespace and `=` (SEMANTICS 2). */
export const MESSAGE_ID = /^[^\s=]+$/u;
/** A key of a `k=v` word. */
export const MESSAGE_KEY = /^[A-Za-z0-9_.-]+$/;

/** Milliseconds since the epoch. */
export const Instant = z.int();
/** A job's number: the version of the `submissions` stream that counted it. */
export const JobId = z.int().positive();
export type JobId = z.infer<typeof JobId>;

/** The kinds of streams. `submissions` is one stream; the others are one a thing, called `KIND-ID`. */
export const STREAM_KINDS = ['submissions', 'job', 'device', 'worker'] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

export const SUBMISSIONS = 'submissions';
export const jobStream = (id: JobId): string => `job-${id}`;
export const deviceStream = (name: DeviceName): string => `device-${name}`;
export const workerStream = (name: string): string => `worker-${name}`;

const NAMED: ReadonlySet<string> = new Set(STREAM_KINDS.filter((kind) => kind !== SUBMISSIONS));

/** What a stream is of: `device-panda-1` is `device` and `panda-1`. `undefined`: Muster has no such stream. */
export function streamOf(stream: string): { kind: StreamKind; id: string } | undefined {
  if (stream === SUBMISSIONS) return { kind: SUBMISSIONS, id: '' };
  const dash = stream.indexOf('-');
  const kind = stream.slice(0, Math.max(dash, 0));
  return NAMED.has(kind) ? { kind: kind as StreamKind, id: stream.slice(dash + 1) } : undefined;
}

/** The number of the job that a stream is of; `undefined`: it is no job's. */
export function jobOf(stream: string): JobId | undefined {
  return stream.startsWith('job-') ? Number(stream.slice(4)) : undefined;
}

/** Own property of a record: message ids and device names may well be `constructor` or `__proto__`. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
