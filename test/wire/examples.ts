/** An example of everything that boards say and hear: from these the transcript of a version is made, once. */
import { WORDS_CONTENT_TYPE } from '../../api/board-words.ts';
import { memberToken } from '../../api/tokens.ts';
import { bodyOf } from '../../wire/worker-frames.ts';
import { secret } from '../api/bench.ts';
import { boardsDoor, type Step } from './doors.ts';

type Speaker = 'server' | 'client' | 'unbooted' | 'stranger';
interface Call {
  who: Speaker;
  verb: string;
  words: string[];
  /** Absent: one that nothing else has. `null`: none. */
  key?: string | null;
  from?: string;
}
interface Example {
  step: string;
  calls: Call[];
  brief?: true;
}

const call = (who: Speaker, verb: string, ...words: string[]): Call => ({ who, verb, words });
const ABANDONED = 'key-abandoned-0001';
const TWICE = 'key-twice-00000001';

const examples: Example[] = [
  { step: 'its own name', calls: [call('server', 'self')] },
  {
    step: 'its role, and all roles',
    calls: [call('server', 'role'), call('server', 'role', 'list')],
  },
  {
    step: 'the group, of a role and of none',
    calls: [
      call('client', 'group'),
      call('client', 'group', 'server'),
      call('client', 'group', 'nobody'),
    ],
  },
  { step: 'a message', calls: [call('server', 'send', 'ip', 'a=1', 'b=%0A ü "x"')] },
  {
    step: 'a message of the shape of an escape',
    calls: [call('server', 'send', 'odd', 'k=100%', 'l=a\\b')],
  },
  { step: 'a wait for what was sent', calls: [call('client', 'wait', 'ip')] },
  {
    step: 'a wait for what comes later',
    calls: [call('client', 'wait', 'later'), call('server', 'send', 'later', 'k=v')],
  },
  {
    step: 'a wait for all',
    calls: [call('client', 'wait-all', 'all'), call('server', 'send', 'all', 'x=1')],
  },
  {
    step: 'a wait that says who sent each datum',
    calls: [call('client', 'wait-from', 'ip')],
  },
  { step: 'a wait for all of a role', calls: [call('client', 'wait-all', 'all', 'server')] },
  { step: 'a sync', calls: [call('server', 'sync', 'ready'), call('client', 'sync', 'ready')] },
  {
    step: 'the same key again',
    calls: [
      { ...call('server', 'send', 'twice'), key: TWICE },
      { ...call('server', 'send', 'twice'), key: TWICE },
    ],
  },
  {
    step: 'the same key with other words',
    calls: [{ ...call('server', 'send', 'else'), key: TWICE }],
  },
  {
    step: 'a wait that is given up',
    calls: [
      { ...call('client', 'wait', 'never'), key: ABANDONED },
      call('client', 'abandon', ABANDONED),
    ],
  },
  {
    step: 'a suite and its result',
    calls: [
      call('server', 'suite', 'start', '0_smoke'),
      call('server', 'result', 'case=boot', 'result=pass', 'measurement=1.5', 'units=s'),
      call('server', 'suite', 'end', '0_smoke'),
    ],
  },
  { step: 'a message that is none', calls: [call('server', 'send', 'a b')] },
  { step: 'a role that there is not', calls: [call('server', 'wait-all', 'x', 'nobody')] },
  { step: 'a change without a key', calls: [{ ...call('server', 'send', 'x'), key: null }] },
  { step: 'a verb that there is not', calls: [call('server', 'sing', 'x')] },
  { step: 'a board of nobody', calls: [call('stranger', 'self')] },
  { step: 'a board that has not booted', calls: [call('unbooted', 'send', 'x')] },
  {
    step: 'a wait that was held for long enough',
    brief: true,
    calls: [call('client', 'wait', 'never')],
  },
  {
    step: 'who called',
    calls: [
      { ...call('server', 'send', 'from'), from: '120~/bin/sh&run.sh;~bash&-c&lava-send+from' },
    ],
  },
  {
    step: 'the end of a member by its own word, and what it asks then',
    brief: true,
    calls: [call('client', 'raise', 'no', 'disk'), call('client', 'send', 'x')],
  },
];

/** The transcript of this version: every example by line and by HTTP, on servers that are alike. */
export async function transcript(withFrom: boolean): Promise<Step[]> {
  const steps: Step[] = [];
  for (const by of ['line', 'http'] as const)
    for (const brief of [false, true]) {
      const door = await boardsDoor(brief);
      // The first question of a line was that of its registration.
      let n = by === 'line' ? 1 : 0;
      const device = {
        server: door.server,
        client: door.client,
        unbooted: door.unbooted,
        stranger: door.server,
      };
      const text = ({ who, verb, words, key, from }: Call) => {
        n += 1;
        const job = who === 'unbooted' ? door.later : door.job;
        const is = { device: device[who], verb, words, from };
        const said = key === undefined ? `key-of-example-${String(n).padStart(3, '0')}` : key;
        if (by === 'line')
          return frameOf({ ...is, n, job: who === 'stranger' ? NO_JOB : job, key: said });
        const keyOfServer = who === 'stranger' ? Buffer.from('none') : secret;
        return requestOf({ ...is, token: memberToken(keyOfServer, job, device[who]), key: said });
      };
      const take = async (step: string, said: string[], answers: number) =>
        steps.push({
          step,
          by,
          ...(brief && { brief }),
          said,
          heard: await door.say({ by, said }, answers),
        });
      for (const { step, calls, ...is } of examples)
        if ((is.brief ?? false) === brief && (withFrom || !calls.some(({ from }) => from)))
          await take(step, calls.map(text), calls.length);
      if (by === 'line' && !brief) {
        // A wait whose board is gone is answered no more: the next question is.
        const wait = text(call('client', 'wait', 'gone'));
        await take(
          'a board that is gone',
          [wait, JSON.stringify([{ gone: n }]), text(call('client', 'self'))],
          1,
        );
        const both = [call('server', 'sync', 'both'), call('client', 'sync', 'both')].map(text);
        await take(
          'two messages in one frame',
          [JSON.stringify(both.flatMap((one) => JSON.parse(one)))],
          2,
        );
      }
    }
  return steps;
}

/** There are two in the lab of the transcript. */
const NO_JOB = 99;

const bodyTextOf = (words: readonly string[]): string =>
  words.map((word) => `${word.replaceAll('%', '%25').replaceAll('\n', '%0A')}\n`).join('');

interface Spoken {
  verb: string;
  words: string[];
  key: string | null;
  from: string | undefined;
}

/** As a worker passes on what its board says. */
const frameOf = (is: Spoken & { n: number; job: number; device: string }): string =>
  JSON.stringify([
    {
      ...{ n: is.n, ask: 'board', job: is.job, device: is.device },
      ...{ method: 'POST', url: `/board/v1/${is.verb}`, type: WORDS_CONTENT_TYPE },
      ...(is.key !== null && { key: is.key }),
      ...(is.from !== undefined && { from: is.from }),
      ...{ body: bodyOf(Buffer.from(bodyTextOf(is.words))), console: 0, set: {} },
    },
  ]);

/** As `board/lib/quick.bash` writes it, but that its connection may stay. */
function requestOf(is: Spoken & { token: string }): string {
  const body = bodyTextOf(is.words);
  const head = [
    `POST /board/v1/${is.verb} HTTP/1.1`,
    'Host: muster',
    `Authorization: Bearer ${is.token}`,
    `Content-Type: ${WORDS_CONTENT_TYPE}`,
    ...(is.key === null ? [] : [`Muster-Key: ${is.key}`]),
    ...(is.from === undefined ? [] : [`Muster-From: ${is.from}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
