/** Plain tables that fit the page: no lines, two blanks between columns, long cells wrapped and nothing cut off. */
import { printable } from '../../submission/quoting.ts';
import type { Colors } from '../io.ts';
import { textWidth, wrapText } from './text.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
  /** Gives way first when the page is too narrow. */
  flexible?: boolean;
}

/** `paint` colours the text after it was laid out. */
export type Cell = string | { text: string; paint: (text: string) => string };

export interface Page {
  columns: number;
  colors: Colors;
}

const GAP = '  ';
const FLEXIBLE_WIDTH_MIN = 12;
const WIDTH_MIN = 4;

/**
 * A heading and a line a row, each ended by a newline and at most `page.columns` wide.
 *
 * @param below whole lines that stand under a row
 */
export function table(
  columns: readonly Column[],
  rows: readonly Cell[][],
  page: Page,
  below: (row: number) => string = () => '',
): string {
  const natural = columns.map(({ title }, at) =>
    rows.reduce((width, row) => Math.max(width, cellWidth(row[at] ?? '')), textWidth(title)),
  );
  const widths = fitWidths(natural, columns, page.columns - GAP.length * (columns.length - 1));
  const titles = columns.map(({ title }) => ({ text: title, paint: page.colors.bold }));
  const lines = rows.map((row, at) => renderRow(row, columns, widths) + below(at));
  return renderRow(titles, columns, widths) + lines.join('');
}

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);
const cellWidth = (cell: Cell): number => textWidth(printable(textOf(cell)));

/** Takes columns from the widest until all fit: first from those that are flexible, then from any. */
function fitWidths(natural: readonly number[], columns: readonly Column[], room: number): number[] {
  const widths = [...natural];
  const shrink = (mayShrink: (at: number) => boolean, least: number): void => {
    while (widths.reduce((sum, width) => sum + width, 0) > room) {
      let widest = -1;
      for (const [at, width] of widths.entries())
        if (mayShrink(at) && width > least && width > (widths[widest] ?? 0)) widest = at;
      if (widest === -1) return;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  };
  shrink((at) => columns[at]?.flexible === true, FLEXIBLE_WIDTH_MIN);
  shrink(() => true, WIDTH_MIN);
  return widths;
}

function renderRow(row: readonly Cell[], columns: readonly Column[], widths: number[]): string {
  const cells = columns.map((_, at) => wrapText(textOf(row[at] ?? ''), widths[at] ?? 1));
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  let text = '';
  for (let line = 0; line < height; line += 1) {
    let drawn = '';
    let owed = '';
    for (const [at, column] of columns.entries()) {
      const part = cells[at]?.[line] ?? '';
      const blanks = ' '.repeat(Math.max(0, (widths[at] ?? 0) - textWidth(part)));
      const cell = row[at] ?? '';
      const painted = typeof cell === 'string' || part === '' ? part : cell.paint(part);
      const before = owed + (column.align === 'right' ? blanks : '');
      // Blanks are owed until something follows them: no line ends in blanks.
      if (part === '') owed = `${before}${column.align === 'right' ? '' : blanks}${GAP}`;
      else {
        drawn += before + painted;
        owed = `${column.align === 'right' ? '' : blanks}${GAP}`;
      }
    }
    text += `${drawn}\n`;
  }
  return text;
}
