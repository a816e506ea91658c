/** Which of several causes comes first: what happened before the others, and explains a failure that counts. */
import type { Finding, Situation } from './situation.ts';

export interface Ranked {
  readonly finding: Finding;
  readonly because: string;
}

/** Of two that say the same in other words the earlier rule counts. */
export function rank(situation: Situation, findings: readonly Finding[]): Ranked[] {
  const left = [...unique(findings)]
    .sort((a, b) => weight(a) - weight(b) || a.first.version - b.first.version)
    .slice(0, RANKED_MAX);
  const ranked: Ranked[] = [];
  while (left.length > 0) {
    const [first = 0] = left
      .map((_, index) => index)
      .filter((index) =>
        left.every((other, at) => at === index || !comesBefore(situation, other, left[index])),
      );
    const [finding] = left.splice(first, 1);
    if (finding !== undefined) ranked.push({ finding, because: '' });
  }
  return ranked.map(({ finding }, at) => ({
    finding,
    because: at === 0 ? firstBecause(ranked) : laterBecause(situation, ranked[0]?.finding, finding),
  }));
}

/** Of more nobody reads. */
const RANKED_MAX = 40;

function* unique(findings: readonly Finding[]): Iterable<Finding> {
  const seen = new Set<string>();
  for (const finding of findings) {
    const { kind, culprit } = finding;
    const key = JSON.stringify([
      kind,
      culprit?.device,
      culprit?.id,
      culprit?.line,
      finding.first.version,
    ]);
    if (seen.has(key)) continue;
    seen.add(key);
    yield finding;
  }
}

/** A failed case is never the cause of a barrier that failed: it decides nothing. */
const weight = ({ kind }: Finding): number => (kind === 'test-failed' ? 1 : 0);

function comesBefore({ before }: Situation, a: Finding, b: Finding | undefined): boolean {
  if (b === undefined) return false;
  if (weight(a) !== weight(b)) return weight(a) < weight(b);
  const order = before.order(a.first, b.first);
  if (order !== 'concurrent') return order === 'before';
  return a.first.version < b.first.version;
}

const firstBecause = (all: readonly Ranked[]): string =>
  all.length === 1 ? 'nothing else fits' : 'it happened first';

function laterBecause({ before }: Situation, first: Finding | undefined, finding: Finding): string {
  if (first === undefined) return '';
  const [a, b] = [first.first.version, finding.first.version];
  if (weight(finding) > weight(first)) return 'a failed test case ends no wait and no member';
  switch (before.order(first.first, finding.first)) {
    case 'before':
      return `event ${b} came after event ${a}, and may be a consequence of it`;
    case 'same':
      return `it is of the same event, ${a}, seen more broadly`;
    default:
      return `events ${a} and ${b} are independent of each other; ${a} stands earlier in the log`;
  }
}
