/** Signals that come while a server starts. */
import { execFileSync } from 'node:child_process';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ServerProcess } from '../lab/server-process.ts';
import { until } from '../worker/worker-process.ts';

const labOf = (...boards: string[]) =>
  `device_types: { panda: {} }\ndevices: { ${boards.map((name) => `${name}: { type: panda }`).join(', ')} }\n`;

/** A server that waits in the middle of its start until `goOn`: its lab's file is a pipe. */
async function starting() {
  const server = await ServerProcess.make(labOf('panda01'));
  onTestFinished(async () => {
    await server.end('SIGTERM');
    await server.remove();
  });
  const file = join(server.folder, 'lab.yaml');
  await rm(file);
  execFileSync('mkfifo', [file]);
  const started = server.start();
  const pipe = await open(file, 'w');
  const goOn = async (then: string) => {
    await rm(file);
    await writeFile(file, then);
    await pipe.write(labOf('panda01'));
    await pipe.close();
  };
  return { server, started, goOn, pipe };
}

it('SIGHUP has it read the lab file again once it has started', async () => {
  const { server, started, goOn } = await starting();
  server.signal('SIGHUP');
  await goOn(labOf('panda01', 'panda02'));
  await started;
  await until(async () => server.output.includes('2 boards; new: panda02'));
});

it('SIGTERM ends it, and it does not start any further', async () => {
  const { server, started, pipe } = await starting();
  const ended = expect(started).rejects.toThrow(/the server ended \(0\)/);
  server.signal('SIGTERM');
  await until(async () => server.output.includes('SIGTERM: stopping'));
  await pipe.close();
  await ended;
});
