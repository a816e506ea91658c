/** Resolves when somebody tells this process to stop; told again, it ends at once. */
export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (asked) process.exit(1);
        asked = true;
        process.stderr.write(`muster: ${signal}: stopping; boards that run a job run on\n`);
        resolve();
      });
  });
}
