import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { threads } from './test/threads.ts';

// A file beside the words on the terminal, for whoever sums up several runs (scripts/test-totals.mjs).
const report = process.env.MUSTER_TEST_REPORT;
const ALL = 'test/**/*.test.ts';
const PROCESSES = 'test/**/*.process.test.ts';
const LONG = 'test/**/*.long.test.ts';

const cores = availableParallelism();
// They wait more than they work.
const maxWorkers = Math.ceil(1.5 * cores);

export default defineConfig({
  plugins: [threads],
  test: {
    globalSetup: ['test/setup.ts'],
    setupFiles: ['test/processes.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      // Half of their time would be to load the same modules again, file by file.
      {
        extends: true,
        test: {
          ...{ name: 'rules', include: [ALL], exclude: [PROCESSES, LONG] },
          ...{ maxWorkers, isolate: false },
        },
      },
      { extends: true, test: { name: 'processes', include: [PROCESSES], maxWorkers } },
      // Whole machines under emulation and labs of a hundred boards are work for all cores.
      {
        extends: true,
        test: {
          ...{ name: 'long', include: [LONG], maxWorkers: cores },
          sequence: { groupOrder: 1 },
        },
      },
    ],
    ...(report ? { reporters: ['default', ['json', { outputFile: report }]] } : {}),
  },
});
