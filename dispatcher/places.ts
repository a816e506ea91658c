/**
 * The order in which drivers are told the boards. What a board has on this machine (its address, its link) comes from its
 * place in that order, so a board keeps its place whatever becomes of the others in the lab's file: those that run while
 * the file is read again, and those that an earlier life left, are found where they were.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LabBoard } from './drivers/driver.ts';
import { codeOf } from './failure.ts';

const RETRY_MS = 1_000;

/** Places of boards of one kind are counted apart, and those with an address of their own. */
const Place = z.object({ name: z.string(), driver: z.string(), hasAddress: z.boolean() });
type Place = z.infer<typeof Place>;

export class Places {
  readonly #file: string;
  #places: Place[];

  private constructor(file: string, places: Place[]) {
    this.#file = file;
    this.#places = places;
  }

  static async in(dataDir: string): Promise<Places> {
    const file = join(dataDir, 'places.json');
    const text = await readFile(file, 'utf8').catch(() => '[]');
    return new Places(file, readPlaces(text));
  }

  /**
   * The boards in the order of their places; where nobody is any more stands a board without a name.
   *
   * @param kept boards that are not in the lab's file any more, or stand there otherwise, and still run
   */
  async order(boards: readonly LabBoard[], kept: ReadonlySet<string>): Promise<LabBoard[]> {
    const here = new Map(boards.map((board) => [board.name, board]));
    const isAt = ({ name, ...place }: Place): boolean => {
      const board = here.get(name);
      return board !== undefined && isSame(place, placeOf(board));
    };
    const places = this.#places.map((place) => ({ ...place }));
    const placed = new Set(places.filter(isAt).map(({ name }) => name));
    for (const board of boards) {
      if (placed.has(board.name)) continue;
      const wanted = placeOf(board);
      const free = places.find(
        (place) => !isAt(place) && !kept.has(place.name) && isSame(place, wanted),
      );
      if (free === undefined) places.push({ name: board.name, ...wanted });
      else free.name = board.name;
    }
    if (JSON.stringify(places) !== JSON.stringify(this.#places)) {
      this.#places = places;
      await this.#keep();
    }
    return places.map((place) =>
      isAt(place) ? (here.get(place.name) ?? empty(place)) : empty(place),
    );
  }

  /** A full disk keeps nobody from starting: the file is written when there is room. */
  async #keep(): Promise<void> {
    try {
      await writeFile(`${this.#file}.new`, JSON.stringify(this.#places), { mode: 0o600 });
      await rename(`${this.#file}.new`, this.#file);
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error;
      setTimeout(() => void this.#keep().catch(() => undefined), RETRY_MS).unref();
    }
  }
}

const placeOf = ({ driver, address }: LabBoard): Omit<Place, 'name'> => ({
  driver,
  hasAddress: address !== undefined,
});

const isSame = (a: Omit<Place, 'name'>, b: Omit<Place, 'name'>): boolean =>
  a.driver === b.driver && a.hasAddress === b.hasAddress;

/** One with an address of its own takes none of the others'. */
const empty = ({ driver, hasAddress }: Place): LabBoard => ({
  ...{ name: '', type: '', tags: [], driver, image: 'host:' },
  ...(hasAddress && { address: '0.0.0.0' }),
});

/** A file that cannot be read is none: places are given anew then. */
function readPlaces(text: string): Place[] {
  try {
    return z.array(Place).parse(JSON.parse(text));
  } catch {
    return [];
  }
}
