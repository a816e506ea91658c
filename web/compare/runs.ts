/** The two runs that are compared: their events, under one lens, counterparts on lanes of the same height. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { type ApiError, unreadable } from '../api/client.ts';
import { follow } from '../api/stream.ts';
import type { DiffView, RecordedEvent } from '../api/types.ts';
import type { Order } from '../job/axis.ts';
import { FoldedRun } from '../job/folded-run.ts';
import { type Flag, Lens } from '../job/run.ts';
import { query, setQuery } from '../ui/router.ts';

export class TwoRuns {
  readonly diff: DiffView;
  readonly good: FoldedRun;
  readonly bad: FoldedRun;
  readonly refused = signal<ApiError | undefined>(undefined);
  readonly lens = new Lens();
  /** By cause and effect first: two runs that do the same are of one length then, however long each of them took. */
  readonly order: ReadonlySignal<Order> = computed(() =>
    query.value.get('order') === 'wall' ? 'wall' : 'causal',
  );
  /** The pair that is looked at: where the runs part, unless another one is chosen. */
  readonly pair: ReadonlySignal<DiffView['pairs'][number] | undefined>;

  constructor(diff: DiffView) {
    this.diff = diff;
    const asked = computed(() => query.value.get('device') ?? '');
    const first = diff.first?.boards ?? diff.pairs[0];
    this.pair = computed(() => diff.pairs.find(({ bad }) => bad === asked.value) ?? first);
    const { order, lens } = this;
    const choose = (bad: string | undefined) => setQuery({ device: bad });
    this.bad = new FoldedRun({
      ...{ order, lens, choose },
      device: computed(() => this.pair.value?.bad ?? ''),
    });
    this.good = new FoldedRun({
      ...{ order, lens },
      device: computed(() => this.pair.value?.good ?? ''),
      choose: (device) => choose(diff.pairs.find(({ good }) => good === device)?.bad),
    });
  }

  open(): () => void {
    const stop = new AbortController();
    this.#follow(this.diff.with, this.good, stop.signal, (event) => this.#inOrder(event));
    this.#follow(this.diff.id, this.bad, stop.signal, (event) => event);
    return () => stop.abort();
  }

  #follow(
    job: number,
    run: FoldedRun,
    signal: AbortSignal,
    as: (event: RecordedEvent) => RecordedEvent,
  ): void {
    void follow({
      path: `/api/jobs/${job}/events?form=rows`,
      after: 0,
      placeOf: (event) => event.version,
      onEvents: (events) => {
        const unread = run.take(events.map(as));
        if (unread !== undefined) this.refused.value = unreadable(job, unread);
        this.#flag();
      },
      onEnd: () => {
        run.isEnded.value = true;
      },
      onRefused: (error) => {
        this.refused.value = error;
      },
      signal,
    });
  }

  /** The boards of the good run stand as their counterparts do. */
  #inOrder(event: RecordedEvent): RecordedEvent {
    if (event.type !== 'JobAllocated') return event;
    const places = new Map(this.diff.pairs.map(({ good, bad }) => [good, this.#placeOf(bad)]));
    const placeOf = ({ device }: { device: string }) => places.get(device) ?? Infinity;
    const members = [...event.data.members].sort((a, b) => placeOf(a) - placeOf(b));
    return { ...event, data: { ...event.data, members } };
  }

  /** Where a board of the bad run stands in its group: by roles in the order of the job, then by number. */
  #placeOf(device: string): number {
    const { pairs } = this.diff;
    const roles = [...new Set(pairs.map(({ role }) => role))];
    const pair = pairs.find(({ bad }) => bad === device);
    return pair === undefined ? Infinity : roles.indexOf(pair.role) * 1_000_000 + pair.index;
  }

  #flag(): void {
    const { first, others } = this.diff;
    const all = [...(first === undefined ? [] : [first]), ...others];
    const flags = (run: FoldedRun, which: 'good' | 'bad'): Flag[] =>
      all.flatMap((is, n): Flag[] => {
        const lane = run.fold.laneNamed(is.boards[which]);
        const before = is.before[which].at(-1)?.event ?? run.fold.start + 1;
        const event = Math.min((is[which]?.event ?? before) - 1, run.fold.length - 1);
        const text = n === 0 ? 'first divergence' : 'differs';
        return [{ event, lane, text, tone: n === 0 ? 'bad' : 'warn' }];
      });
    this.good.flags.value = flags(this.good, 'good');
    this.bad.flags.value = flags(this.bad, 'bad');
  }
}
