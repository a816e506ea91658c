/** The server's figures, out of the text that Prometheus reads. Pure. */

export interface Figure {
  name: string;
  help: string;
  values: { labels: string; value: number }[];
}

/** `name{a="b"} 1` */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

export function readMetrics(text: string): Figure[] {
  const figures = new Map<string, Figure>();
  for (const line of text.split('\n')) {
    const [, named, help] = /^# HELP (\S+) (.*)$/.exec(line) ?? [];
    if (named !== undefined) figures.set(named, { name: named, help: help ?? '', values: [] });
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) continue;
    const said = [...labels.matchAll(/="((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word).join(' ');
    figures.get(name)?.values.push({ labels: said, value: Number(value) });
  }
  return [...figures.values()].filter(({ values }) => values.length > 0);
}
