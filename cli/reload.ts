/** What a lab's file that was read again has changed, in words; and SIGHUP, which has nobody to tell them but the log. */
import type { LabChange } from '../wire/lab-change.ts';

export function labChangeWords({ boards, added, changed, removed, later }: LabChange): string {
  const parts = [`${boards} ${boards === 1 ? 'board' : 'boards'}`];
  for (const [what, names] of [
    ['new', added],
    ['changed', changed],
    ['gone', removed],
  ] as const)
    if (names.length > 0) parts.push(`${what}: ${names.join(', ')}`);
  if (later.length > 0) parts.push(`when their jobs have ended: ${later.join(', ')}`);
  return parts.join('; ');
}

interface Log {
  warn(message: string): void;
  error(message: string): void;
}

export async function saidReload(reload: () => Promise<LabChange>, log: Log): Promise<void> {
  try {
    log.warn(`SIGHUP: the lab's file was read again: ${labChangeWords(await reload())}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.error(`SIGHUP: the lab's file has changed nothing: ${why}`);
  }
}
