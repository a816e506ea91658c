/** Where the time of a message goes: a CPU profile of the server under load, in microseconds of CPU a message. */
import { table } from './figures.ts';
import { pumped } from './messages.ts';
import { type MusterProcess, startMuster } from './muster-process.ts';
import { doorsOf, groupSizes } from './peers/muster.ts';
import type { Sender } from './peers/peer.ts';
import type { SelfTime } from './profile.ts';

const CONNECTIONS = 32;
const LINE_IN_FLIGHT = 16;
const SECONDS = 4;
/** What is below it is summed up. */
const SHOWN_US_MIN = 0.3;

export async function whereTable(newFolder: () => Promise<string>): Promise<string> {
  const muster = await startMuster({
    folder: await newFolder(),
    sizes: groupSizes(CONNECTIONS),
    workers: CONNECTIONS,
  });
  const undo: (() => unknown)[] = [];
  const { http, line } = await doorsOf(muster, CONNECTIONS, undo);
  const overHttp = await profiled(muster, http, 1);
  const overLine = await profiled(muster, line, LINE_IN_FLIGHT);
  for (const step of undo) await step();
  await muster.stop();
  const parts = [...new Set([...overHttp.keys(), ...overLine.keys()])];
  const shown = parts.filter((part) => largest(part) >= SHOWN_US_MIN);
  const rest = parts.filter((part) => largest(part) < SHOWN_US_MIN);
  const sum = (of: Map<string, number>, names: readonly string[]) =>
    names.reduce((total, name) => total + (of.get(name) ?? 0), 0).toFixed(1);
  const row = (name: string, names: readonly string[]) => [
    name,
    sum(overHttp, names),
    sum(overLine, names),
  ];
  return table(
    ['part of the server', 'HTTP, us a message', 'line, us a message'],
    [...shown.map((part) => row(part, [part])), row('the rest', rest), row('all', parts)],
  );

  function largest(part: string): number {
    return Math.max(overHttp.get(part) ?? 0, overLine.get(part) ?? 0);
  }
}

async function profiled(
  muster: MusterProcess,
  senders: readonly Sender[],
  inFlight: number,
): Promise<Map<string, number>> {
  await pumped(senders, inFlight, 1);
  await muster.startProfile();
  const { count } = await pumped(senders, inFlight, SECONDS);
  const times = await muster.endProfile();
  return new Map(times.map(({ part, us }: SelfTime) => [part, us / count]));
}
