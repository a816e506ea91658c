/**
 * The boards' door of a real server, as a transcript needs it: what is said to it, by HTTP and behind a worker by its line,
 * and what comes.
 */
import { createConnection } from 'node:net';
import { onTestFinished } from 'vitest';
import { buildBoardApp } from '../../api/board-app.ts';
import { tokenKeyOf } from '../../api/tokens.ts';
import { listening, pair, secret, until } from '../api/bench.ts';
import { registered, workerDoors } from '../api/lined.ts';
import { allocated, jobOf } from '../engine/bench.ts';

/** What was said, message by message, and every answer to it, in the order of the messages. */
export interface Step {
  step: string;
  by: 'line' | 'http';
  /** Whether waits are held for no time at all. */
  brief?: true;
  said: string[];
  heard: string[];
}

/**
 * A server with job 1 of two booted members, and job 2 of one that has not booted. Both have the same names and tokens
 * each time.
 */
export async function boardsDoor(brief: boolean) {
  const held = brief ? { heldMsMax: 1 } : {};
  const { engine, attachments, log, port: apiPort, token } = await workerDoors(held);
  const app = await buildBoardApp({
    engine,
    attachments,
    openSet: async () => ({}),
    tokenKeys: () => [tokenKeyOf(secret)],
    consoleSize: () => 0,
    log,
    ...held,
  });
  onTestFinished(() => app.close());
  const port = await listening(app);
  const members = await pair(engine);
  const later = await allocated(engine, jobOf({ server: 1 }));
  const unbooted = (await engine.job(later))?.members[0]?.device ?? '';
  const line = await lineTo(apiPort, token);

  /** Says it, one after another, each when the one before was answered or is held; resolves with that many answers. */
  async function say({ by, said }: Pick<Step, 'by' | 'said'>, answers: number): Promise<string[]> {
    const heard: Heard[] = [];
    const way = by === 'line' ? line : httpTo(port);
    const stop = way.listen((one) => heard.push(one));
    for (const text of said) {
      const before = [heard.length, engine.heldWaits].join();
      way.send(text);
      if (heard.length < answers)
        await until(() => ([heard.length, engine.heldWaits].join() === before ? undefined : true));
    }
    await until(() => (heard.length >= answers ? true : undefined));
    stop();
    return heard.sort((a, b) => a.of - b.of).map(({ text }) => text);
  }
  return { ...members, later, unbooted, say };
}

/** An answer, and which request it is of. */
interface Heard {
  of: number;
  text: string;
}

interface Way {
  send(text: string): void;
  listen(hear: (one: Heard) => void): () => void;
}

async function lineTo(port: number, token: string): Promise<Way> {
  const { socket } = await registered(port, token);
  return {
    send: (text) => socket.send(text),
    listen(hear) {
      // As text again: the order of an answer's fields is a part of the wire.
      const onFrame = (frame: Buffer) => {
        for (const answer of JSON.parse(frame.toString()))
          if (answer.n !== undefined) hear({ of: answer.n, text: JSON.stringify(answer) });
      };
      socket.on('message', onFrame);
      return () => socket.off('message', onFrame);
    },
  };
}

/** Each request on a connection of its own; what is heard is the status and the body. */
function httpTo(port: number): Way {
  let heard: (one: Heard) => void = () => {};
  let requests = 0;
  return {
    send(text) {
      const of = requests++;
      const socket = createConnection(port, '127.0.0.1');
      onTestFinished(() => {
        socket.destroy();
      });
      let answer = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        answer += chunk;
        const [, length] = /content-length: (\d+)/i.exec(answer) ?? [];
        const at = answer.indexOf('\r\n\r\n') + 4;
        if (length === undefined || at < 4) return;
        const body = answer.slice(at);
        if (Buffer.byteLength(body) < Number(length)) return;
        socket.destroy();
        heard({ of, text: `${answer.slice(9, 12)} ${body}` });
      });
      socket.write(text);
    },
    listen(hear) {
      heard = hear;
      return () => {
        heard = () => {};
      };
    },
  };
}
