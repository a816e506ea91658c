/** The server's figures, out of the text that Prometheus reads. Pure. */

export interface Figure {
  name: string;
  help: string;
  values: { labels: string; value: number }[];
}

/** How long things took: as many as are counted, by how long at most. */
export interface Latency {
  name: string;
  help: string;
  /** What it is of, as `sync released`; empty: all of it. */
  labels: string;
  count: number;
  sum: number;
  /** Cumulative, by upper bounds in seconds, the last of which is infinite. */
  buckets: { le: number; count: number }[];
}

export interface Metrics {
  figures: Figure[];
  latencies: Latency[];
}

/** `name{a="b"} 1` */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

export function readMetrics(text: string): Metrics {
  const helps = new Map<string, string>();
  const histograms = new Set<string>();
  const figures = new Map<string, Figure>();
  const latencies = new Map<string, Latency>();
  for (const line of text.split('\n')) {
    const [, kind, named = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') helps.set(named, rest);
    if (kind === 'TYPE' && rest === 'histogram') histograms.add(named);
    const [, name, inside = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = new Map(
      [...inside.matchAll(LABEL)].map(([, key = '', word = '']) => [key, word]),
    );
    const [, base = '', part] = /^(.*)_(bucket|sum|count)$/.exec(name) ?? [];
    if (part !== undefined && histograms.has(base)) {
      const le = labels.get('le');
      labels.delete('le');
      const said = [...labels.values()].join(' ');
      const key = `${base} ${said}`;
      const is = latencies.get(key) ?? {
        ...{ name: base, help: helps.get(base) ?? '', labels: said, count: 0, sum: 0, buckets: [] },
      };
      latencies.set(key, is);
      if (le !== undefined)
        is.buckets.push({ le: le === '+Inf' ? Infinity : Number(le), count: Number(value) });
      else if (part === 'count') is.count = Number(value);
      else if (part === 'sum') is.sum = Number(value);
      continue;
    }
    const figure = figures.get(name) ?? { name, help: helps.get(name) ?? '', values: [] };
    figures.set(name, figure);
    figure.values.push({ labels: [...labels.values()].join(' '), value: Number(value) });
  }
  return {
    figures: [...figures.values()],
    latencies: [...latencies.values()].filter(({ count }) => count > 0),
  };
}

/** The upper bound, in seconds, below which this part of them lies; infinite: above the highest that is counted. */
export function withinSeconds({ count, buckets }: Latency, part: number): number {
  return buckets.find((bucket) => bucket.count >= part * count)?.le ?? Infinity;
}
