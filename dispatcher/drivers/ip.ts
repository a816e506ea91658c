/** `ip` and `tc` of iproute2: one process for any number of steps. */
import { StepFailure } from '../failure.ts';
import { lastLine, runProgram } from '../programs.ts';
import { type Range, rangeOf } from './subnet.ts';

export interface Link {
  ifname: string;
  ifalias?: string;
}

/** @throws StepFailure `bridge-refused` with what the first step that failed said */
export async function batch(program: 'ip' | 'tc', steps: readonly string[]): Promise<void> {
  const input = `${steps.join('\n')}\n`;
  const end = await runProgram(program, ['-batch', '-'], { input });
  if (end.status === 0) return;
  const why = end.stderr.trim().split('\n')[0] ?? '';
  throw new StepFailure('bridge-refused', `${program}: ${why === '' ? lastLine(end.stdout) : why}`);
}

/** Removes interfaces; those that are gone already do not matter. */
export async function removeLinks(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const input = names.map((name) => `link del dev ${name}\n`).join('');
  await runProgram('ip', ['-force', '-batch', '-'], { input });
}

export async function linkNamed(name: string): Promise<Link | undefined> {
  return (await rows<Link>(['link', 'show', 'dev', name]))[0];
}

/** Interfaces whose names begin so. */
export async function linksFrom(start: string): Promise<string[]> {
  const links = await rows<Link>(['link', 'show']);
  return links.map(({ ifname }) => ifname).filter((name) => name.startsWith(start));
}

/** `address/prefix` of an interface; none when it does not exist. */
export async function addressesOn(name: string): Promise<string[]> {
  const links = await rows<{ addr_info?: { local?: string; prefixlen?: number }[] }>([
    ...['-4', 'addr', 'show', 'dev', name],
  ]);
  return links.flatMap(({ addr_info }) =>
    (addr_info ?? []).flatMap(({ local, prefixlen }) =>
      local === undefined ? [] : [`${local}/${prefixlen}`],
    ),
  );
}

/** What this machine has a way to. */
export async function routes(): Promise<Range[]> {
  const list = await rows<{ dst?: string }>(['-4', 'route', 'show', 'table', 'all']);
  return list.flatMap(({ dst }) => {
    const range = dst === undefined ? undefined : rangeOf(dst);
    return range === undefined || range.first === 0 ? [] : [range];
  });
}

/** Rows of `ip -json`; none when the thing asked for does not exist. */
async function rows<T>(args: string[]): Promise<T[]> {
  const end = await runProgram('ip', ['-json', ...args]);
  if (end.status !== 0 || end.stdout.trim() === '') return [];
  const found: unknown = JSON.parse(end.stdout);
  // `ip` gives an empty object for what a filter left out.
  return Array.isArray(found) ? found.filter((row) => Object.keys(row).length > 0) : [];
}
