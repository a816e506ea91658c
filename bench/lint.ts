/** How long lint takes for definitions of 2,000 lines, and of half as many, shape by shape: the median of ten, after the first two. */
import { lintDefinition } from '../submission/lint/lint-definition.ts';
import { median, ms, table } from './figures.ts';
import { SHAPES, type Shape } from './lint-shapes.ts';

const LINES = 2_000;
const RUNS = 10;

function taken({ name, definition }: Shape, lines: number): number {
  const took: number[] = [];
  for (let run = 0; run < RUNS + 2; run++) {
    const of = definition(lines);
    // Every time another one: nobody lints the same text twice in one process.
    const other = (text: string) => `${text}# ${lines} ${run}\n`;
    const readFile = (path: string) => {
      const text = of.readFile(path);
      return typeof text === 'string' ? other(text) : text;
    };
    const from = performance.now();
    const { verdict } = lintDefinition({ ...of, text: other(of.text), readFile });
    if (verdict !== 'clean') throw new Error(`lint says ${verdict} of ${name}`);
    if (run >= 2) took.push(performance.now() - from);
  }
  return median(took);
}

export function lintTable(): string {
  const rows = SHAPES.map((shape) => [
    shape.name,
    ms(taken(shape, LINES / 2)),
    ms(taken(shape, LINES)),
  ]);
  return table(['definition', `${LINES / 2} lines, ms`, `${LINES} lines, ms`], rows);
}
