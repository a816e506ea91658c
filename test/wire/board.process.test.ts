/** What a board's own scripts write: what is recorded of this version, byte for byte where bash writes it itself. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Board, shellsOnly, usable } from '../board/shells.ts';
import type { Step } from './doors.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const requests = readFileSync(`test/wire/${version}.jsonl`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line): Step => JSON.parse(line))
  .filter(({ by }) => by === 'http')
  .flatMap(({ step, said }) => said.map((request) => ({ step, request })));

/** The lines of a request that Muster writes, without what is another one each time. */
function written(request: string): string[] {
  const [head = '', body] = request.split('\r\n\r\n');
  const [first = '', ...fields] = head.split('\r\n');
  const ours = fields
    .filter((field) => /^(authorization|content-type|muster-key|content-length):/i.test(field))
    .map((field) => field.replace(/^(Muster-Key|Authorization): .*/, '$1: ...'));
  return [first, ...ours.sort(), body ?? ''];
}

/** A server that keeps what it is told, and answers `ok`. */
async function listener() {
  const heard: string[] = [];
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [, length] = /content-length: (\d+)/i.exec(text) ?? [];
      const body = text.split('\r\n\r\n')[1];
      if (body === undefined || Buffer.byteLength(body) < Number(length)) return;
      heard.push(text);
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n');
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, heard };
}

const wordsOf = (request: string): string[] =>
  (request.split('\r\n\r\n')[1] ?? '')
    .split('\n')
    .slice(0, -1)
    .map((word) => word.replaceAll('%0A', '\n').replaceAll('%25', '%'));

describe.each(usable(shellsOnly))('a board that has $name', (pair) => {
  const spoken = requests.filter(({ request }) =>
    /^POST \/board\/v1\/(send|wait|wait-all|sync) HTTP/.test(request),
  );

  it(`writes every message and wait as it is recorded (${pair.name})`, async () => {
    expect(spoken.length).toBeGreaterThan(12);
    const { url, heard } = await listener();
    const board = new Board(pair, url);
    onTestFinished(() => board.remove());
    for (const { step, request } of spoken) {
      if (!/^muster-key:/im.test(request)) continue;
      const [, verb = ''] = /v1\/(\S+)/.exec(request) ?? [];
      heard.length = 0;
      await board.run(`lava-${verb}`, ...wordsOf(request));
      expect(heard.map(written), step).toEqual([written(request)]);
    }
  });
});
