/**
 * Where projections keep how far they have read, with what they knew then. A checkpoint may always be thrown
 * away and rebuilt from the log: that is why a file that cannot be read as one counts as none.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from './durable-file.ts';

/** A checkpoint's name is also its file's name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export interface Checkpoints {
  /** The last value saved under this name, as JSON gives it back; undefined when there is none. */
  load(name: string): Promise<unknown | undefined>;
  /**
   * Replaces the value as a whole; it is durable when the promise resolves.
   * @throws StoreUnavailable when it cannot be written; the value before it is still there
   */
  save(name: string, value: unknown): Promise<void>;
}

/** For tests. */
export function memoryCheckpoints(): Checkpoints {
  const saved = new Map<string, string>();
  return {
    load: async (name) => unwrap(saved.get(checkName(name)) ?? ''),
    save: async (name, value) => {
      saved.set(checkName(name), wrap(value));
    },
  };
}

/** One JSON file a name in `dir`, which is made when there is none. One process at a time: see `lockFolder`. */
export function fileCheckpoints(dir: string): Checkpoints {
  /** The save under way of each name: the one that was asked for last must be the one that stays. */
  const saving = new Map<string, Promise<void>>();
  return {
    load: async (name) => {
      const file = fileOf(dir, name);
      await saving.get(name)?.catch(() => {});
      return unwrap(await textOf(file));
    },
    save: async (name, value) => {
      const file = fileOf(dir, name);
      const text = wrap(value);
      const before = saving.get(name) ?? Promise.resolve();
      const save = before
        .catch(() => {})
        .then(() => replaceFile(file, 'the checkpoint', (handle) => handle.writeFile(text)));
      saving.set(name, save);
      try {
        await save;
      } finally {
        if (saving.get(name) === save) saving.delete(name);
      }
    },
  };
}

const fileOf = (dir: string, name: string): string => join(dir, `${checkName(name)}.json`);

function checkName(name: string): string {
  if (!NAME.test(name))
    throw new RangeError(
      `checkpoint name '${name}' is not 1 to 100 letters, digits and . _ - that start with a letter or digit`,
    );
  return name;
}

/** In an object, because a torn object is never whole JSON, while a torn number may be. */
const wrap = (value: unknown): string => JSON.stringify({ value });

function unwrap(text: string): unknown {
  try {
    const wrapped: unknown = JSON.parse(text);
    return typeof wrapped === 'object' && wrapped !== null && 'value' in wrapped
      ? wrapped.value
      : undefined;
  } catch {
    return undefined;
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
