import { defineConfig } from 'vitest/config';
import { threads } from './test/threads.ts';

// A file beside the words on the terminal, for whoever sums up several runs (scripts/test-totals.mjs).
const report = process.env.MUSTER_TEST_REPORT;
const ALL = 'test/**/*.test.ts';
const STARTS_PROCESSES = ['test/**/*.process.test.ts', 'test/**/*.long.test.ts'];

export default defineConfig({
  plugins: [threads],
  test: {
    globalSetup: ['test/setup.ts'],
    // Tests wait more than they work: all cores, where vitest would leave one to itself.
    maxWorkers: '100%',
    setupFiles: ['test/processes.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      // Half of their time would be to load the same modules again, file by file.
      {
        extends: true,
        test: { name: 'rules', include: [ALL], exclude: STARTS_PROCESSES, isolate: false },
      },
      { extends: true, test: { name: 'processes', include: STARTS_PROCESSES } },
    ],
    ...(report ? { reporters: ['default', ['json', { outputFile: report }]] } : {}),
  },
});
