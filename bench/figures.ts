/** Figures of the bench: quantiles, tables in Markdown, and the place in the document where they go. */
import { readFile, writeFile } from 'node:fs/promises';

export function quantile(times: readonly number[], q: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
export const median = (times: readonly number[]): number => quantile(times, 0.5);

export const ms = (n: number): string => (Number.isNaN(n) ? '-' : n.toFixed(2));
export const perSecond = (n: number): string => Math.round(n).toLocaleString('en');
export const times = (ratio: number): string => (Number.isFinite(ratio) ? ratio.toFixed(2) : '-');

/** A table in Markdown. Columns after the first are numbers, and stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Puts a text between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->` of a document. */
export async function writeSection(file: URL, name: string, text: string): Promise<void> {
  const document = await readFile(file, 'utf8');
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file.pathname} has no place ${begin} ... ${end}`);
  const before = document.slice(0, from + begin.length);
  await writeFile(file, `${before}\n\n${text}\n\n${document.slice(to)}`);
}
