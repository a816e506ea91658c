/** Processes of the worker's own machine, as /proc shows them. */
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { StepFailure } from '../failure.ts';

/** In the environment of every process of a board: whose it is. */
export const MARK_VARIABLE = 'MUSTER_BOARD';
export const markOf = (hash: string, device: string): string => `${hash}/${device}`;
/** In the environment of what the worker itself runs for boards (git): ended at the next start. */
export const FETCH_MARK_VARIABLE = 'MUSTER_FETCH';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessId {
  pid: number;
  /** Start time in clock ticks since the machine's boot. */
  startTicks: number;
  /** The boot of the machine in which it runs. */
  machineBoot: string;
}

interface Stat {
  parent: number;
  session: number;
  startTicks: number;
  state: string;
}

function machineBoot(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function parseStat(text: string): Stat | undefined {
  // The name in parentheses may hold anything, parentheses too.
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, , session] = words;
  const startTicks = Number(words[19]);
  if (state === undefined || !Number.isSafeInteger(startTicks)) return undefined;
  return { state, parent: Number(parent), session: Number(session), startTicks };
}

/** `undefined`: there is no such process (any more), or it is a zombie. */
export function processId(pid: number): ProcessId | undefined {
  const stat = statOf(pid);
  if (stat === undefined) return undefined;
  return { pid, startTicks: stat.startTicks, machineBoot: machineBoot() };
}

function statOf(pid: number): Stat | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat;
  } catch {
    return undefined;
  }
}

export function isAlive(id: ProcessId): boolean {
  return statOf(id.pid)?.startTicks === id.startTicks && machineBoot() === id.machineBoot;
}

/**
 * Whether what now has this number, as a process or as a session, can only be what had it then: a number is not
 * given anew while a session still carries it.
 */
export function isOurs(id: ProcessId): boolean {
  if (machineBoot() !== id.machineBoot) return false;
  const stat = statOf(id.pid);
  return stat === undefined || stat.startTicks === id.startTicks;
}

export function kill(id: ProcessId, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, signal);
  } catch {
    // It ended between the look and the kill.
  }
}

/** Processes whose environment at their start held `<variable>=<value>`, with the value, for all values with a prefix. */
export async function markedProcesses(
  variable: string,
  prefix: string,
): Promise<{ pid: number; value: string }[]> {
  const start = `${variable}=${prefix}`;
  const found: { pid: number; value: string }[] = [];
  for (const pid of await allPids()) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.includes(start)) continue;
    const line = environment.split('\0').find((entry) => entry.startsWith(start));
    if (line !== undefined) found.push({ pid, value: line.slice(variable.length + 1) });
  }
  return found;
}

async function allPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
}

/** The processes themselves, everything in their sessions, and all that descend from them; never ourselves. */
export async function families(roots: ReadonlySet<number>): Promise<number[]> {
  const stats = new Map<number, Stat>();
  for (const pid of await allPids()) {
    const stat = statOf(pid);
    if (stat !== undefined) stats.set(pid, stat);
  }
  const inFamily = new Set([...roots].filter((pid) => stats.has(pid)));
  let before = -1;
  while (before !== inFamily.size) {
    before = inFamily.size;
    for (const [pid, { parent, session }] of stats)
      if (inFamily.has(parent) || roots.has(session)) inFamily.add(pid);
  }
  inFamily.delete(process.pid);
  return [...inFamily];
}

const KILL_ROUNDS_MAX = 2_000;
const KILL_PAUSE_MS = 10;

/**
 * Kills until `find` finds nobody. Stops everybody first in each round, so that who forks faster than we kill
 * does not win.
 *
 * @throws StepFailure `teardown-failed` when somebody does not die
 */
export async function killUntilNone(what: string, find: () => Promise<number[]>): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS_MAX; round += 1) {
    const pids = await find();
    if (pids.length === 0) return;
    if (round > 2) for (const pid of pids) signalQuietly(pid, 'SIGSTOP');
    for (const pid of pids) signalQuietly(pid, 'SIGKILL');
    await delay(round === 0 ? 1 : KILL_PAUSE_MS);
  }
  throw new StepFailure('teardown-failed', `processes of ${what} do not end`);
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}
