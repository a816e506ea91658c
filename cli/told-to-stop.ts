/** What signals tell a process that runs in the foreground: to stop, or to read its files again. */
import { closeSync, openSync } from 'node:fs';

/** Resolves when somebody tells this process to stop; told again, it ends at once. `reload`: what SIGHUP asks for. */
export function toldToStop(reload: () => void): Promise<void> {
  const hadTerminal = process.stdin.isTTY || process.stdout.isTTY;
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.exit(1);
      asked = true;
      process.stderr.write(`muster: ${signal}: stopping; boards that run a job run on\n`);
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
    process.on('SIGHUP', (signal) => {
      // The same signal says that the terminal was closed.
      if (hadTerminal && !hasTerminal()) stop(signal);
      else if (!asked) reload();
    });
  });
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
