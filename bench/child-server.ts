/** A server of the bench in a process of its own: what it is asked is answered one after the other. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** As `examples/muster.service` starts a server. */
const NODE_OPTIONS = ['--max-semi-space-size=64'];

export interface ChildServer<Ready> {
  pid: number;
  /** What it said first. */
  ready: Ready;
  ask(question: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** @throws Error when it ends before it was told to */
export async function startChild<Ready>(module: URL, asked: unknown): Promise<ChildServer<Ready>> {
  const child = fork(module, [JSON.stringify(asked)], { execArgv: NODE_OPTIONS });
  const answers: ((answer: unknown) => void)[] = [];
  const next = () => new Promise<unknown>((resolve) => answers.push(resolve));
  child.on('message', (answer) => answers.shift()?.(answer));
  const ended = once(child, 'exit');
  const early = ended.then(() => {
    throw new Error('the server of the bench ended');
  });
  early.catch(() => {});
  return {
    pid: child.pid ?? 0,
    ready: (await Promise.race([next(), early])) as Ready,
    ask(question) {
      child.send(question);
      return Promise.race([next(), early]);
    },
    async stop() {
      child.send('stop');
      await ended;
    },
  };
}
