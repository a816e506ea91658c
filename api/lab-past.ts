/**
 * The lab at any place of the log: the directory as it was then, folded from the nearest place before it that was kept.
 * Places are kept along the way, whenever the server's own checkpoint goes by and whenever somebody looks back; they may all
 * be thrown away. Where there are too many, every other one is let go: they lie further apart then, and stay as many.
 */
import { z } from 'zod';
import { directoryProjection } from '../engine/directory-projection.ts';
import type { LastTaken } from '../engine/projection-runner.ts';
import type { RecordedEvent } from '../machines/events.ts';
import { applyToDirectory, type Directory, emptyDirectory } from '../projections/directory.ts';
import type { History } from './history/history.ts';
import type { ApiEngine } from './parts.ts';

/** Where projections keep what they knew: as `store/checkpoints.ts` has it. */
export interface Checkpoints {
  load(name: string): Promise<unknown>;
  save(name: string, value: unknown): Promise<void>;
}

/** How far apart places are kept at first, in events; and how many at most. */
const EVERY_EVENTS = 20_000;
const PLACES_MAX = 128;
/** Read in one turn of the readers. */
const PIECE_EVENTS = 2_000;

const INDEX = 'lab-places';
const slotName = (slot: number): string => `lab-place-${slot}`;

/** Where that event stands, and its id: a place of another log is none of this one. */
const Last = z.object({ stream: z.string(), version: z.number(), id: z.string() });

const Place = z.object({
  slot: z.int().nonnegative(),
  /** Of the last event that was taken in. */
  position: z.number(),
  last: Last,
});

const Index = z.object({
  version: z.number(),
  every: z.number(),
  places: z.array(Place),
});

/** What `ProjectionRunner` saves of the directory. */
const Saved = z.object({
  version: z.number(),
  position: z.number(),
  last: Last,
  state: z.unknown(),
});

/** How the log is read: in turns with all others. */
export interface LabReads {
  engine: Pick<ApiEngine, 'allEvents' | 'streamEvents'>;
  history: Pick<History, 'file'>;
}

interface At {
  directory: Directory;
  position: number;
  last: LastTaken;
}
const beginning = (): At => ({
  directory: emptyDirectory(),
  position: 0,
  last: { stream: '', version: 0, id: '' },
});

export class LabPast {
  readonly #kept: Checkpoints;
  readonly #everyFirst: number;
  #index: Promise<z.infer<typeof Index>> | undefined;
  /** The same, once it was read. */
  #known: z.infer<typeof Index> | undefined;
  /** Places are kept one after another. */
  #keeping: Promise<void> = Promise.resolve();

  /** @param kept absent: as long as this process lives */
  constructor(kept: Checkpoints = inMemory(), every = EVERY_EVENTS) {
    this.#kept = kept;
    this.#everyFirst = every;
  }

  /** The same checkpoints, of which those of the directory are kept along the log. */
  alongside(checkpoints: Checkpoints): Checkpoints {
    return {
      load: (name) => checkpoints.load(name),
      save: async (name, value) => {
        const saved = name === directoryProjection.name ? Saved.safeParse(value).data : undefined;
        const isWanted = saved?.version === directoryProjection.version && this.#isFar(saved);
        // What it is made of goes on to change.
        if (isWanted)
          void this.#keep({ ...saved, state: structuredClone(withoutKeys(saved.state)) });
        await checkpoints.save(name, value);
      },
    };
  }

  /**
   * The directory after the event at a position; it is the caller's own.
   *
   * @throws ApiProblem `stopping` when the signal aborts first; UnreadableEvent
   */
  async at(position: number, parts: LabReads, signal: AbortSignal): Promise<Directory> {
    const read = (after: number, limit: number) =>
      parts.history.file(signal, () => pageOf(parts.engine.allEvents(after, limit)));
    const at = await this.#nearest(position, parts, signal);
    while (at.position < position) {
      const page = await read(at.position, PIECE_EVENTS);
      for (const event of page) {
        if (event.position > position) break;
        applyToDirectory(at.directory, event);
        at.position = event.position;
        at.last = { stream: event.stream, version: event.version, id: event.id };
      }
      const isPast = (page.at(-1)?.position ?? position) >= position;
      if (isPast || page.length < PIECE_EVENTS) break;
      await this.#keep({ ...at, state: withoutKeys(directoryProjection.toJson(at.directory)) });
    }
    return at.directory;
  }

  async #nearest(
    position: number,
    { engine, history }: LabReads,
    signal: AbortSignal,
  ): Promise<At> {
    const { places } = await this.#places();
    const before = places.filter((place) => place.position <= position);
    for (const place of before.sort((a, b) => b.position - a.position)) {
      const { last } = place;
      const event = await history.file(signal, () =>
        firstOf(engine.streamEvents(last.stream, last.version - 1)),
      );
      if (event?.id !== last.id || event.position !== place.position) continue;
      const saved = Saved.safeParse(await this.#kept.load(slotName(place.slot))).data;
      if (saved?.last.id !== last.id) continue;
      const directory = directoryProjection.fromJson(saved.state);
      return { directory, position: place.position, last };
    }
    return beginning();
  }

  /** Whether no place is kept near this one, as far as is known by now. */
  #isFar({ position }: { position: number }): boolean {
    if (this.#known === undefined) {
      void this.#places().catch(() => {});
      return false;
    }
    return isFar(this.#known, position);
  }

  #places(): Promise<z.infer<typeof Index>> {
    this.#index ??= this.#kept.load(INDEX).then((raw) => {
      const index = Index.safeParse(raw).data;
      const fresh = { version: directoryProjection.version, every: this.#everyFirst, places: [] };
      this.#known = index?.version === fresh.version ? index : fresh;
      return this.#known;
    });
    return this.#index;
  }

  #keep(is: Omit<z.infer<typeof Saved>, 'version'>): Promise<void> {
    const kept = this.#keeping.then(async () => {
      const index = await this.#places();
      const { every, places } = index;
      if (!isFar(index, is.position)) return;
      const used = new Set(places.map(({ slot }) => slot));
      const slot = Array.from({ length: PLACES_MAX + 1 }).findIndex((_, at) => !used.has(at));
      const { position, last, state } = is;
      const { version } = directoryProjection;
      await this.#kept.save(slotName(slot), { version, position, last, state });
      places.push({ slot, position, last });
      places.sort((a, b) => a.position - b.position);
      if (places.length > PLACES_MAX) {
        index.places = places.filter((_, at) => at % 2 === 1);
        index.every = every * 2;
      }
      await this.#kept.save(INDEX, index);
    });
    // A place that cannot be kept costs whoever looks back some time, and nothing else.
    this.#keeping = kept.catch(() => {});
    return this.#keeping;
  }
}

const isFar = ({ every, places }: z.infer<typeof Index>, at: number): boolean =>
  at >= every && places.every(({ position }) => Math.abs(position - at) >= every);

function inMemory(): Checkpoints {
  const saved = new Map<string, string>();
  return {
    load: async (name) => JSON.parse(saved.get(name) ?? 'null'),
    save: async (name, value) => void saved.set(name, JSON.stringify(value)),
  };
}

/** The keys of submissions are the largest part of a directory, and nobody asks the past for them. */
const withoutKeys = (state: unknown): unknown => ({ ...(state as object), submissionKeys: [] });

async function firstOf(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent | undefined> {
  for await (const event of events) return event;
  return undefined;
}

async function pageOf(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const page: RecordedEvent[] = [];
  for await (const event of events) page.push(event);
  return page;
}
