import { defineConfig } from 'vitest/config';

// A file beside the words on the terminal, for whoever sums up several runs (scripts/test-totals.mjs).
const report = process.env.MUSTER_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    // Tests wait more than they work: all cores, where vitest would leave one to itself.
    maxWorkers: '100%',
    setupFiles: ['test/processes.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    ...(report ? { reporters: ['default', ['json', { outputFile: report }]] } : {}),
  },
});
