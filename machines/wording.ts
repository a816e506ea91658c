/** Phrases that events, answers and views share. Pure. */
import type { MissingMember } from './events.ts';

/** `1 h 2 min`, `3 min 5 s`, `12 s`. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}`;
  const min = Math.floor((s % 3600) / 60);
  return `${Math.floor(s / 3600)} h${min ? ` ${min} min` : ''}`;
}

/** One line: `panda02 (server): boots for 12 s; panda03 ...`. */
export function missingText(is: {
  missingCount: number;
  missing: readonly MissingMember[];
}): string {
  const named = is.missing.map((m) => `${m.member} (${m.role}): ${m.doing}`);
  const rest = is.missingCount - is.missing.length;
  if (rest > 0) named.push(`and ${rest} more`);
  return named.join('; ');
}

/** A wait as its board typed it: `lava-wait-all ready server`. */
export const verbOf = (wait: {
  verb: string;
  message: string;
  role?: string | null | undefined;
}): string => `lava-${wait.verb} ${wait.message}${wait.role ? ` ${wait.role}` : ''}`;
