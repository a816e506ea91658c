/** The worker's own end of a line, with nothing behind it: what its boards would say is said here. */
import { randomUUID } from 'node:crypto';
import type { BoardRegistration } from '../../wire/server-port.ts';
import { Line } from '../../worker/line.ts';

const quiet = { info: () => {}, warn: () => {}, error: () => {} };

/** Resolves when its server has taken the worker and its boards. */
export function openLine(is: {
  url: string;
  token: string;
  instance: string;
  boards: readonly BoardRegistration[];
}): Promise<Line> {
  const { url, token, instance, boards } = is;
  return new Promise((resolve, reject) => {
    const line: Line = new Line({
      ...{ servers: [url], token, instance, version: 'bench', log: quiet },
      register: async () => void (await line.askFirst('register', { boards: [...boards] })),
      onLine: () => resolve(line),
      onChange: () => {},
      onReload: () => {},
      onOrder: () => {},
    });
    line.refused.catch(reject);
    line.start();
  });
}

/** A verb of a board behind the line, as its worker passes it on; resolves with the answer's text. */
export async function sayBehind(
  line: Line,
  { job, device }: { job: number; device: string },
  verb: string,
  words: readonly string[],
): Promise<string> {
  const { body } = await line.ask('board', {
    ...{ job, device, method: 'POST', url: `/board/v1/${verb}`, key: randomUUID() },
    ...{ type: 'application/x-muster-words', console: 0, set: {} },
    body: { text: words.map((word) => `${word}\n`).join('') },
  });
  return 'text' in body ? body.text : '';
}
