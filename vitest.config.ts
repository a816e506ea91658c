import { defineConfig } from 'vitest/config';

// A file beside the words on the terminal, for whoever sums up several runs (scripts/test-totals.mjs).
const report = process.env.MUSTER_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    setupFiles: ['test/processes.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    ...(report ? { reporters: ['default', ['json', { outputFile: report }]] } : {}),
  },
});
