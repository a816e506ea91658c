/** Lines of a file of events. */
import { createReadStream } from 'node:fs';

/** Ends lines at line feeds alone; Node's own `readline` from some version on at U+2028 too, which JSON text may hold. */
export async function* linesOf(file: string): AsyncIterable<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, 'utf8') as AsyncIterable<string>) {
    const [first = '', ...more] = chunk.split('\n');
    rest += first;
    const last = more.pop();
    if (last === undefined) continue;
    yield rest;
    yield* more;
    rest = last;
  }
  if (rest !== '') yield rest;
}
