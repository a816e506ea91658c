/** The server's figures out of the text that Prometheus reads. */
import { expect, it } from 'vitest';
import { readMetrics, withinSeconds } from '../../web/operations/metrics.ts';

const text = `# HELP muster_jobs Jobs that are not over, by state.
# TYPE muster_jobs gauge
muster_jobs{state="submitted"} 3
muster_jobs{state="allocated"} 2
# HELP muster_barrier_seconds How long.
# TYPE muster_barrier_seconds histogram
muster_barrier_seconds_bucket{le="0.1",verb="sync",outcome="released"} 5
muster_barrier_seconds_bucket{le="1",verb="sync",outcome="released"} 9
muster_barrier_seconds_bucket{le="+Inf",verb="sync",outcome="released"} 10
muster_barrier_seconds_sum{verb="sync",outcome="released"} 12.5
muster_barrier_seconds_count{verb="sync",outcome="released"} 10
# TYPE muster_queue_seconds histogram
muster_queue_seconds_bucket{le="+Inf"} 0
muster_queue_seconds_sum 0
muster_queue_seconds_count 0
`;

it('the metrics are read into figures, and into latencies of which a part lies within a bound', () => {
  const { figures, latencies } = readMetrics(text);
  expect(figures).toEqual([
    {
      name: 'muster_jobs',
      help: 'Jobs that are not over, by state.',
      values: [
        { labels: 'submitted', value: 3 },
        { labels: 'allocated', value: 2 },
      ],
    },
  ]);
  expect(latencies.map(({ labels, count, sum }) => [labels, count, sum])).toEqual([
    ['sync released', 10, 12.5],
  ]);
  expect([0.5, 0.9, 0.99].map((part) => withinSeconds(latencies[0]!, part))).toEqual([
    0.1,
    1,
    Infinity,
  ]);
});
