/** A server with a thousand new boards is there soon: nothing of its start is done board by board. */
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../lab/server-process.ts';

const BOARDS = 1_000;
const START_SECONDS_MAX = 3;
/** Of the kernel's clock ticks, in which it counts the time of a process. */
const TICKS = 100;

/** Of all threads of a process so far; this machine may have much else to do meanwhile. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

it('a server opens its door to a thousand new boards within three seconds of work', async () => {
  const boards = Array.from({ length: BOARDS }, (_, i) => `  b${i}: { type: panda }`);
  const server = await ServerProcess.make(
    ['bridge: { subnet: 10.97.0.0/20 }', 'device_types: { panda: {} }', 'devices:', ...boards].join(
      '\n',
    ),
  );
  onTestFinished(async () => {
    await server.end('SIGINT');
    await server.remove();
  });
  await server.start();
  expect(processorSeconds(server.pid)).toBeLessThan(START_SECONDS_MAX);
  const { devices } = await server.get<{ devices: unknown[] }>('/api/devices');
  expect(devices).toHaveLength(BOARDS);
});
