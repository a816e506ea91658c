/**
 * A group's matching as a flow: part -> class -> worker -> sink. Where a start is reserved for another group, that
 * group's parts are in the same network: they may also have boards that are back by then, but no board twice.
 *
 *     part ----> use ----> idle ----> worker ----> sink
 *     reserved part -------^ \---> back ---^
 */
import { Network } from './network.ts';
import type { BoardClass, Demand, Part, WorkerUse } from './records.ts';
import type { Stock, StockBy } from './stock.ts';

interface ClassNodes {
  use: number;
  idle: number;
  back: number;
  /** The arc from `use` to `idle`: boards that the group takes. */
  take: number;
}

export class MatchingNetwork {
  readonly #now: Stock;
  readonly #by: StockBy | undefined;
  readonly #roomBy: 'now' | 'by';
  readonly #network = new Network();
  readonly #sink = this.#network.node();
  readonly #classes = new Map<BoardClass, ClassNodes>();
  readonly #workers = new Map<WorkerUse, { idle: number; back: number }>();
  readonly #parts = new Map<Part, { node: number; arcs: Map<BoardClass, number> }>();

  /**
   * @param now what the group may have.
   * @param by what there is by the reserved start, where there is one.
   * @param roomBy which room a worker's idle boards share: what it has `now`, or all that it has `by` then.
   */
  constructor(now: Stock, by?: StockBy, roomBy: 'now' | 'by' = 'now') {
    this.#now = now;
    this.#by = by;
    this.#roomBy = roomBy;
  }

  addBoards(boards: BoardClass): void {
    const network = this.#network;
    const nodes = { use: network.node(), idle: network.node() };
    const ends = this.#endsOf(boards.worker);
    const count = this.#now.count(boards);
    const take = network.arc(nodes.use, nodes.idle, count);
    network.arc(nodes.idle, ends.idle, count);
    let back = this.#sink;
    if (this.#by !== undefined) {
      back = network.node();
      network.arc(back, ends.back, this.#by.back(boards));
    }
    this.#classes.set(boards, { ...nodes, back, take });
  }

  /** The group that is matched. All classes must have been added, the preferred first. */
  addGroup(parts: readonly Part[]): void {
    this.#addParts(parts, ({ use }) => [use]);
  }

  /** The group for which a start is reserved. */
  addReserved(parts: readonly Part[]): void {
    this.#addParts(parts, ({ idle, back }) => [back, idle]);
  }

  /** Whether every slot of these parts has a board, after as many as possible were given one. */
  fill(parts: readonly Part[]): boolean {
    let complete = true;
    for (const part of parts) {
      const node = this.#parts.get(part)?.node ?? this.#sink;
      complete = this.#network.send(node, this.#sink, part.count) === part.count && complete;
    }
    return complete;
  }

  /**
   * Exchanges boards for preferred ones, until no exchange is left: `next` offers boards, the preferred first.
   * A class that cannot give one more board now can give none later, because what was preferred to it stays.
   */
  prefer(slots: number, next: () => Offered | undefined): void {
    let pinned = 0;
    for (let offer = next(); offer !== undefined && pinned < slots; offer = next()) {
      if (!this.#pinOne(offer.boards, offer.index)) continue;
      pinned += 1;
      offer.more();
    }
  }

  /** How many boards of each class a part has. */
  shareOf(part: Part): Map<BoardClass, number> {
    const share = new Map<BoardClass, number>();
    for (const [boards, arc] of this.#parts.get(part)?.arcs ?? []) {
      const count = this.#network.flow(arc);
      if (count > 0) share.set(boards, count);
    }
    return share;
  }

  /** Whether one more board of a class, or of its worker, could be taken without a part going short. */
  spares(): (boards: BoardClass) => boolean {
    const sources = this.#network.sourcesOf(this.#sink);
    return (boards) => {
      const worker = boards.worker && this.#workers.get(boards.worker);
      const node = this.#classes.get(boards)?.use ?? worker?.idle;
      return node === undefined || sources.has(node);
    };
  }

  #pinOne(boards: BoardClass, pinned: number): boolean {
    const nodes = this.#classes.get(boards);
    if (nodes === undefined) return false;
    if (this.#network.flow(nodes.take) <= pinned) {
      if (this.#network.send(nodes.idle, nodes.use, 1) === 0) return false;
      this.#network.close(nodes.take);
    }
    this.#network.pin(nodes.take);
    return true;
  }

  #addParts(parts: readonly Part[], from: (nodes: ClassNodes) => number[]): void {
    const byDemand = new Map(parts.map((part, index) => [part.demand, index] as const));
    const added = parts.map((part) => {
      const own = { node: this.#network.node(), arcs: new Map<BoardClass, number>() };
      this.#parts.set(part, own);
      return own;
    });
    for (const [boards, nodes] of this.#classes)
      for (const index of fittingIndexes(boards, byDemand)) {
        const own = added[index];
        for (const end of from(nodes))
          own?.arcs.set(boards, this.#network.arc(own.node, end, Number.POSITIVE_INFINITY));
      }
  }

  /** Where boards of a class end: in the sink, or in their worker's room. */
  #endsOf(worker: WorkerUse | undefined): { idle: number; back: number } {
    if (worker === undefined) return { idle: this.#sink, back: this.#sink };
    const found = this.#workers.get(worker);
    if (found !== undefined) return found;
    const made = { idle: this.#network.node(), back: this.#network.node() };
    const now = this.#now.room(worker);
    const all = this.#by?.room(worker) ?? now;
    this.#network.arc(made.idle, made.back, this.#roomBy === 'now' ? now : all);
    this.#network.arc(made.back, this.#sink, all);
    this.#workers.set(worker, made);
    return made;
  }
}

/** In order, because what comes first is tried first. */
function fittingIndexes({ demands }: BoardClass, byDemand: ReadonlyMap<Demand, number>): number[] {
  const indexes: number[] = [];
  // The smaller side is looked through: a class may fit many demands, a group may have many.
  if (byDemand.size < demands.size) {
    for (const [demand, index] of byDemand) if (demands.has(demand)) indexes.push(index);
    return indexes;
  }
  for (const demand of demands) {
    const index = byDemand.get(demand);
    if (index !== undefined) indexes.push(index);
  }
  return indexes.sort((a, b) => a - b);
}

/** The next board of a class; `more` offers the one after it. */
export interface Offered {
  boards: BoardClass;
  index: number;
  more(): void;
}
