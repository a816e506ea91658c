/** The door at which boards find their worker: who may speak, and what they hear while there is no line. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Question } from '../../wire/worker-frames.ts';
import { BoardDoor, boardToken } from '../../worker/board-door.ts';
import { Refusal } from '../../worker/line.ts';
import { until } from '../store/events.ts';

const secret = Buffer.from('a secret of this worker alone');
type Asked = Omit<Extract<Question, { ask: 'board' }>, 'n' | 'ask'>;
type Answer = { status: number; type: string; body: { text: string } };

async function opened(answer: (asked: Asked, signal: AbortSignal) => Promise<Answer>) {
  const dataDir = await mkdtemp(join(tmpdir(), 'muster-door-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const asked: Asked[] = [];
  const ask = (_: string, body: Asked, signal: AbortSignal) => {
    asked.push(body);
    return answer(body, signal);
  };
  const door = new BoardDoor({ secret, dataDir, line: { ask } as never });
  const url = await door.listen('127.0.0.1', 0);
  onTestFinished(() => door.close());
  const post = (path: string, token: string, body: string | Buffer, signal?: AbortSignal) =>
    fetch(url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/x-muster-words',
        'muster-key': 'k1',
        'muster-from': 'run.sh:3',
      },
      body,
      ...(signal && { signal }),
    });
  return { asked, post, door };
}

const ok = async (): Promise<Answer> => ({
  status: 200,
  type: 'text/plain',
  body: { text: 'ok\n' },
});
const token = boardToken(secret, 7, 'panda01');

it('a board is heard as the member that its token names, with all that it says', async () => {
  const { asked, post } = await opened(ok);
  const answer = await post('/board/v1/send', token, 'ready\n');
  expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
  expect(asked).toEqual([
    {
      ...{ job: 7, device: 'panda01', method: 'POST', url: '/board/v1/send' },
      ...{ type: 'application/x-muster-words', key: 'k1', from: 'run.sh:3' },
      ...{ body: { text: 'ready\n' }, console: 0, set: {} },
    },
  ]);
});

it.each([
  ['none', ''],
  ['that of another job with the name of this one', token.replace('.7.', '.8.')],
  ['that of another board with the name of this one', token.replace('panda01', 'panda02')],
  ['one of another worker', boardToken(Buffer.from('another secret'), 7, 'panda01')],
  ['one that was cut', token.slice(0, -1)],
  ['one of the server', 'mb1.7.panda01.x'],
])('without its own token nobody is heard: %s', async (_, given) => {
  const { asked, post } = await opened(ok);
  expect(await (await post('/board/v1/send', given, 'x\n')).text()).toBe(
    'denied this token is none of this worker\n',
  );
  expect(asked).toEqual([]);
});

it('what is too large is refused here, before it is sent anywhere', async () => {
  const { asked, post } = await opened(ok);
  const answer = await post('/board/v1/send', token, Buffer.alloc(2 * 1024 * 1024 + 1, 'x'));
  expect(await answer.text()).toMatch(/^refused too large: /);
  expect(asked).toEqual([]);
});

it('a board whose verb was killed is not waited for any more', async () => {
  let given: AbortSignal | undefined;
  const { post } = await opened((_, signal) => {
    given = signal;
    return new Promise((_, refuse) => {
      signal.addEventListener('abort', () =>
        refuse(new Refusal({ code: 'gone', reason: 'nobody waits', again: false })),
      );
    });
  });
  const killed = new AbortController();
  const asked = post('/board/v1/wait', token, 'go\n', killed.signal).catch(() => 'gone');
  await until('the worker was asked', () => given !== undefined);
  killed.abort();
  expect(await asked).toBe('gone');
  await until('nobody waits any more', () => given?.aborted === true);
});

it('what is asked while there is no line is answered with: again, when the worker stops', async () => {
  const { post, asked, door } = await opened(
    (_, signal) =>
      new Promise((_, refuse) => {
        signal.addEventListener('abort', () =>
          refuse(new Refusal({ code: 'gone', reason: 'nobody waits', again: false })),
        );
      }),
  );
  const answer = post('/board/v1/wait', token, 'go\n').then(
    (response) => response.text(),
    () => 'cut',
  );
  await until('the worker was asked', () => asked.length > 0);
  await door.close();
  expect(['cut', 'retry the worker has no line to a server now\n']).toContain(await answer);
});

it('what the server refuses a board is told to it', async () => {
  const { post } = await opened(async () => {
    throw new Refusal({ code: 'no-such-member', reason: 'no member of it', again: false });
  });
  expect(await (await post('/board/v1/send', token, 'x\n')).text()).toBe(
    'denied no member of it\n',
  );
});
