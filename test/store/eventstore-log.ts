/** The log behind the stand-in for EventStoreDB: what it appends, refuses and keeps. */

export interface Proposal {
  id: string;
  type: string;
  data: Uint8Array;
  meta: Uint8Array;
}
export interface Record extends Proposal {
  stream: string;
  version: number;
  position: number;
}

/** What the server's own records take up in its log besides what is stored. */
const RECORD_BYTES = 100;

export class StandInLog {
  readonly records: Record[] = [];
  readonly #streams = new Map<string, Record[]>();
  readonly #deleted = new Set<string>();
  readonly #listeners = new Set<(record: Record) => void>();
  #end = 500;
  #unshared: Record[] | undefined;
  /** Called before an append is told of a conflict. */
  onConflict: () => void = () => {};

  /** From now on what is appended stays with the leader alone: appends meet it, and nobody can read it. */
  isolateLeader(): void {
    this.#unshared = [];
  }

  /** The others of the cluster have it too now. */
  share(): void {
    const unshared = this.#unshared ?? [];
    this.#unshared = undefined;
    for (const record of unshared) this.#publish(record);
  }

  /** The version and position after it; a number is the actual version of a conflict. */
  append(
    stream: string,
    expected: number,
    events: readonly Proposal[],
  ): { version: number; position: number } | number | 'deleted' {
    if (this.#deleted.has(stream)) return 'deleted';
    const before = this.#streams.get(stream) ?? [];
    const there = before.slice(expected, expected + events.length);
    const last = there.at(-1);
    const isRepeat =
      there.length === events.length && there.every(({ id }, index) => id === events[index]?.id);
    const isShared = last !== undefined && !this.#unshared?.includes(last);
    if (isRepeat && isShared) return { version: last.version, position: last.position };
    if (before.length !== expected) {
      this.onConflict();
      return before.length;
    }
    const added = events.map((event, index) => this.#record(stream, expected + index + 1, event));
    this.#streams.set(stream, [...before, ...added]);
    return { version: expected + added.length, position: added.at(-1)!.position };
  }

  eventsOf(stream: string): readonly Record[] | 'deleted' {
    if (this.#deleted.has(stream)) return 'deleted';
    return (this.#streams.get(stream) ?? []).filter((is) => !this.#unshared?.includes(is));
  }

  /** The events stay in the log, followed by the server's own mark. */
  bury(stream: string, expected: number): 'buried' | 'stream-deleted' | 'wrong-expected-version' {
    if (this.#deleted.has(stream)) return 'stream-deleted';
    if ((this.#streams.get(stream) ?? []).length !== expected) return 'wrong-expected-version';
    this.#deleted.add(stream);
    const nothing = new Uint8Array();
    const id = '00000000-0000-4000-8000-000000000000';
    const mark = { id, type: '$streamDeleted', data: nothing, meta: nothing };
    this.#record(stream, Number.MAX_SAFE_INTEGER, mark);
    return 'buried';
  }

  listen(listener: (record: Record) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #record(stream: string, version: number, event: Proposal): Record {
    const record = { ...event, stream, version, position: this.#end };
    this.#end += RECORD_BYTES + event.data.length + event.meta.length;
    if (this.#unshared === undefined) this.#publish(record);
    else this.#unshared.push(record);
    return record;
  }
  #publish(record: Record): void {
    this.records.push(record);
    for (const listener of this.#listeners) listener(record);
  }
}
