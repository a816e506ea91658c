/** Acknowledged messages a second, on 1, 32 and 128 connections, with 1 and with 16 in flight on each. */
import { median, ms, perSecond, quantile, table, times } from './figures.ts';
import type { Peer, Sender } from './peers/peer.ts';

const CONNECTIONS = [1, 32, 128];
const IN_FLIGHT = [1, 16];
/** As long as it takes for what `barrier.ts` says of its first rounds. */
const WARM_UP_MS = 3_000;
const SECONDS = 3;

/** The peers in turn, load by load. The first is what the others are compared with. */
export async function messagesTable(
  peers: readonly Peer[],
  say: (line: string) => void,
): Promise<string> {
  const rows: string[][] = [];
  for (const inFlight of IN_FLIGHT)
    for (const connections of CONNECTIONS) {
      let first = Number.NaN;
      for (const peer of peers) {
        const senders = await peer.senders?.(connections);
        if (senders === undefined) continue;
        const { rate, taken } = await pumped(senders, inFlight);
        if (Number.isNaN(first)) first = rate;
        say(`${connections} x ${inFlight}: ${peer.name} ${perSecond(rate)}/s`);
        rows.push([
          `${connections} x ${inFlight}`,
          peer.name,
          perSecond(rate),
          ms(median(taken)),
          ms(quantile(taken, 0.99)),
          `${times(rate / first)} x`,
          peer.promise,
        ]);
      }
    }
  const [than] = peers;
  return table(
    [
      'connections x in flight',
      'peer',
      'messages/s',
      'median ms',
      'p99 ms',
      `against ${than?.name}`,
      'a message is',
    ],
    rows,
  );
}

/** Keeps `inFlight` messages under way on every sender for some seconds: their rate, and how long each took. */
export async function pumped(
  senders: readonly Sender[],
  inFlight: number,
  seconds = SECONDS,
): Promise<{ rate: number; taken: number[]; count: number }> {
  const taken: number[] = [];
  let count = 0;
  let isOver = false;
  const lane = async (sender: Sender) => {
    while (!isOver) {
      const from = performance.now();
      await sender.send();
      taken.push(performance.now() - from);
      count++;
    }
  };
  const lanes = senders.flatMap((sender) => Array.from({ length: inFlight }, () => lane(sender)));
  await pause(WARM_UP_MS);
  taken.length = 0;
  const [from, before] = [performance.now(), count];
  await pause(seconds * 1000);
  const rate = ((count - before) / (performance.now() - from)) * 1000;
  const kept = taken.slice();
  isOver = true;
  await Promise.all(lanes);
  return { rate, taken: kept, count };
}

const pause = (length: number) => new Promise((resolve) => setTimeout(resolve, length));
