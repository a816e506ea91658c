#!/usr/bin/env node
/** The program behind `muster`: the process's streams and exit code around program.ts. */
import { processIo } from './io.ts';
import { run } from './program.ts';

const io = processIo();
const exit = await run(process.argv.slice(2), io);
// What is still on its way to a slow pipe is written before the process ends. It does not wait for the rest: a
// TLS connection that the other side never answers cannot be closed.
for (const stream of [process.stdout, process.stderr])
  await new Promise((resolve) => stream.write('', resolve));
process.exit(exit);
