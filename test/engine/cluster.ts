/** Servers on one log, each with boards of its own, on one virtual clock. Any of them may be killed. */
import type { Engine } from '../../engine/engine.ts';
import type { WorkerFacts } from '../../engine/registry.ts';
import { memoryCheckpoints } from '../../store/checkpoints.ts';
import { openMemoryStore } from '../../store/memory.ts';
import type { EventStore } from '../../store/port.ts';
import { checkLog } from '../lab/invariants.ts';
import { booted, jobOf, logOf, pandas, startEngine, submit } from './bench.ts';
import { quiet, VirtualClock } from './virtual-clock.ts';

export interface Server {
  engine: Engine;
  /** The end of its process: it is not told, and nothing of it happens any more. */
  kill(): void;
}

/** A store's methods as an object whose parts can be changed. */
export const portOf = (store: EventStore): EventStore => ({
  append: (...is) => store.append(...is),
  read: (...is) => store.read(...is),
  readRows: (...is) => store.readRows(...is),
  readAll: (...is) => store.readAll(...is),
  subscribeAll: (...is) => store.subscribeAll(...is),
  head: () => store.head(),
  remove: (stream) => store.remove(stream),
  close: () => store.close(),
});

/** What the two boards of each server are called, but for their numbers; all are of the type panda. */
const BOARDS = { a: 'panda', b: 'beagle', c: 'cubie' };

export class Cluster {
  readonly time = new VirtualClock();
  readonly store = openMemoryStore();

  /** `around`: what stands between this server and the log. */
  async start(
    name: 'a' | 'b' | 'c',
    around = (store: EventStore) => store,
    { aheadMs = 0, ...facts }: WorkerFacts & { aheadMs?: number } = {},
  ): Promise<Server> {
    const boards = pandas(2).map((board) => ({
      ...board,
      device: board.device.replace('panda', BOARDS[name]),
    }));
    const { clock, stop } = this.time.process(aheadMs);
    let isDead = false;
    const reached = around(portOf(this.store));
    const store: EventStore = {
      ...reached,
      append: (...is) => (isDead ? new Promise<never>(() => {}) : reached.append(...is)),
    };
    const options = { store, shared: true, clock, checkpoints: memoryCheckpoints() };
    const { engine } = await startEngine(options, boards, { worker: name, ...facts });
    const kill = () => {
      isDead = true;
      stop();
    };
    return { engine, kill };
  }

  async check(finished: boolean): Promise<void> {
    checkLog(await logOf(this), { finished });
  }

  /** The streams that have an event of this type, once for each. */
  async streamsWith(type: string): Promise<string[]> {
    return (await logOf(this)).filter((e) => e.type === type).map((e) => e.stream);
  }
}

/** A job of one client and one server on four boards, booted; told by server a. */
export async function running(cluster: Cluster) {
  const a = await cluster.start('a');
  const b = await cluster.start('b');
  const id = await submit(a.engine, jobOf({ server: 1, client: 1 }));
  await quiet();
  const [server = '', client = ''] = await booted(a.engine, id);
  await quiet();
  return { a, b, id, server, client };
}

/** A job on the boards of server b alone. */
export const ON_BEAGLES = ['beagle01', 'beagle02'].map((device) => ({
  role: device,
  count: 1,
  device,
  tags: [],
}));
