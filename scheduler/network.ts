/**
 * A small flow network: what a matching under limits is computed with. Nodes are numbers, arcs have whole
 * capacities, and flow goes along shortest paths, moving what was sent before where that makes room.
 */

export class Network {
  /** Arc `i` and its reverse `i ^ 1` are neighbours; `room` is what may still be sent along each. */
  readonly #head: number[] = [];
  readonly #room: number[] = [];
  /** The arcs out of a node, in the order in which they came: the first, the last, and after each the next; -1: none. */
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  readonly #next: number[] = [];
  readonly #sent: number[] = [];
  /** Which search saw a node last, and by which arc. */
  readonly #seen: number[] = [];
  readonly #reachedBy: number[] = [];
  #search = 0;

  node(): number {
    this.#seen.push(0);
    this.#reachedBy.push(0);
    this.#last.push(-1);
    return this.#first.push(-1) - 1;
  }

  /** Returns the arc's number. */
  arc(from: number, to: number, capacity: number): number {
    const arc = this.#head.length;
    this.#head.push(to, from);
    this.#room.push(capacity, 0);
    this.#sent.push(0);
    this.#link(from, arc);
    this.#link(to, arc + 1);
    return arc;
  }

  #link(node: number, arc: number): void {
    const last = this.#last[node] ?? -1;
    if (last === -1) this.#first[node] = arc;
    else this.#next[last] = arc;
    this.#last[node] = arc;
    this.#next[arc] = -1;
  }

  /** What flows along an arc. */
  flow(arc: number): number {
    return this.#sent[arc >>> 1] ?? 0;
  }

  /** Sends up to `amount` from one node to another, by as many paths as it takes; returns what arrived. */
  send(from: number, to: number, amount: number): number {
    let sent = 0;
    while (sent < amount) {
      const path = this.#path(from, to);
      if (path === undefined) break;
      const width = path.reduce(
        (least, arc) => Math.min(least, this.#room[arc] ?? 0),
        amount - sent,
      );
      for (const arc of path) this.#push(arc, width);
      sent += width;
    }
    return sent;
  }

  /** Sends one more along this arc, whose ends a path was just sent between. */
  close(arc: number): void {
    this.#push(arc, 1);
  }

  /** One unit that flows along this arc now will never be taken back. */
  pin(arc: number): void {
    this.#room[arc ^ 1] = (this.#room[arc ^ 1] ?? 0) - 1;
  }

  /** All nodes from which one more could be sent to this one. */
  sourcesOf(to: number): ReadonlySet<number> {
    const sources = new Set([to]);
    for (const node of sources)
      for (let arc = this.#first[node] ?? -1; arc !== -1; arc = this.#next[arc] ?? -1)
        if ((this.#room[arc ^ 1] ?? 0) > 0) sources.add(this.#head[arc] ?? to);
    return sources;
  }

  #push(arc: number, amount: number): void {
    this.#room[arc] = (this.#room[arc] ?? 0) - amount;
    this.#room[arc ^ 1] = (this.#room[arc ^ 1] ?? 0) + amount;
    const sign = (arc & 1) === 0 ? amount : -amount;
    this.#sent[arc >>> 1] = (this.#sent[arc >>> 1] ?? 0) + sign;
  }

  /** The arcs of a shortest path that has room, last first. */
  #path(from: number, to: number): number[] | undefined {
    this.#search += 1;
    this.#seen[from] = this.#search;
    const reached = [from];
    for (const node of reached) {
      for (let arc = this.#first[node] ?? -1; arc !== -1; arc = this.#next[arc] ?? -1) {
        const next = this.#head[arc] ?? 0;
        if (this.#seen[next] === this.#search || (this.#room[arc] ?? 0) <= 0) continue;
        this.#seen[next] = this.#search;
        this.#reachedBy[next] = arc;
        if (next === to) return this.#pathTo(to, from);
        reached.push(next);
      }
    }
    return undefined;
  }

  #pathTo(to: number, from: number): number[] {
    const path: number[] = [];
    for (let node = to; node !== from; ) {
      const arc = this.#reachedBy[node] ?? 0;
      path.push(arc);
      node = this.#head[arc ^ 1] ?? from;
    }
    return path;
  }
}
