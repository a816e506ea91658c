/** How long lint takes for a definition of 2,000 lines and three members: the median of ten, after the first two. */
import { lintDefinition } from '../submission/lint/lint-definition.ts';
import { median, ms } from './figures.ts';

const LINES = 2_000;
const RUNS = 10;

function definition(): string {
  const lines: string[] = [];
  for (let i = 0; lines.length < LINES; i++)
    lines.push(
      `    - lava-test-case case-${i} --shell ./check-${i % 7}.sh`,
      `    - if [ "$(lava-role)" = server ]; then lava-send m${i} v=${i}; else lava-wait m${i}; fi`,
      `    - 'if [ "$(lava-role)" = client ]; then value=$(grep v= /tmp/lava_multi_node_cache.txt | cut -d= -f2); fi'`,
      `    - lava-sync round-${i}`,
    );
  return `run:\n  steps:\n${lines.join('\n')}\n`;
}

export function lintBench(say: (line: string) => void): void {
  const text = definition();
  const check = '#!/bin/sh\nset -e\nfor i in 1 2 3; do test -e /sys/$i || echo no; done\n';
  const took: number[] = [];
  for (let run = 0; run < RUNS + 2; run++) {
    const from = performance.now();
    const { verdict } = lintDefinition({
      file: 'big.yaml',
      text,
      readFile: (path) => (path.startsWith('check-') ? check : undefined),
      files: [],
      countsSelf: false,
      roles: [
        { role: 'server', count: 1 },
        { role: 'client', count: 2 },
      ],
    });
    if (verdict !== 'clean') throw new Error(`lint says ${verdict}`);
    if (run >= 2) took.push(performance.now() - from);
  }
  say(`lint of ${LINES} lines, three members: ${ms(median(took))} ms (median of ${RUNS})`);
}
