/** How long the store, the queue and the barriers took since the server started. */
import { plural, Section } from '../ui/parts.tsx';
import { lasting } from '../ui/time.ts';
import { type Latency, withinSeconds } from './metrics.ts';

const WORDS: Readonly<Record<string, string>> = {
  muster_store_seconds: 'Store',
  muster_queue_seconds: 'Queue',
  muster_barrier_seconds: 'Barrier',
};
const PARTS = [0.5, 0.9, 0.99] as const;

export function Latencies({ latencies }: { latencies: readonly Latency[] }) {
  return (
    <Section title="Latencies" class="latencies">
      {latencies.length === 0 ? (
        <p class="empty">Nothing has been measured since the server started.</p>
      ) : (
        <div class="scrolled" role="region" aria-label="Latencies" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>What</th>
                <th>How often</th>
                <th>Half within</th>
                <th>9 of 10</th>
                <th>99 of 100</th>
                <th>Mean</th>
                <th>Spread</th>
              </tr>
            </thead>
            <tbody>
              {latencies.map((is) => (
                <tr key={`${is.name} ${is.labels}`}>
                  <td title={is.help}>
                    {WORDS[is.name] ?? is.name} <span class="soft">{wordsOf(is.labels)}</span>
                  </td>
                  <td>{is.count.toLocaleString('en')}</td>
                  {PARTS.map((part) => (
                    <td key={part}>{bound(withinSeconds(is, part))}</td>
                  ))}
                  <td>{lasting((1_000 * is.sum) / is.count)}</td>
                  <td>
                    <Spread is={is} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

const wordsOf = (labels: string): string =>
  labels.replace('timedout', 'timed out').replace('abandoned', 'given up');

const bound = (seconds: number): string =>
  Number.isFinite(seconds) ? lasting(seconds * 1_000) : 'longer';

/** How many fell into each bucket, as bars. */
function Spread({ is }: { is: Latency }) {
  const alone = is.buckets.map(({ count }, n) => count - (is.buckets[n - 1]?.count ?? 0));
  const most = Math.max(1, ...alone);
  return (
    <span class="barrier-bars" role="img" aria-label={`${plural(is.count, 'sample')}, by length`}>
      {alone.map((count, n) => (
        <i
          key={is.buckets[n]?.le}
          title={`${count} within ${bound(is.buckets[n]?.le ?? 0)}`}
          style={{ height: `${count === 0 ? 1 : 3 + 15 * (count / most)}px` }}
        />
      ))}
    </span>
  );
}
