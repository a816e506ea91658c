#!/usr/bin/env node
/** The program behind `muster`: the process's streams and exit code around program.ts. */
import { EXIT } from './failure.ts';
import { processIo } from './io.ts';
import { run } from './program.ts';
import { serveCommand } from './serve.ts';

const io = processIo();
const exit = await run(process.argv.slice(2), io, [serveCommand(io.columns)]);
// Set, not called: what is still on its way to a slow pipe is written before the process ends.
// `serve` sets its own.
if (exit !== EXIT.ok) process.exitCode = exit;
