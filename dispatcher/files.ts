/** Paths that stay inside a folder. */
import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/** Whether `path` is `folder` or lies below it. Both must be real paths already. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/**
 * The real path of a file named by a path inside a folder, symbolic links followed.
 *
 * @returns `undefined` when it does not lie in the folder; throws as `realpath` does when it does not exist
 */
export async function realPathInside(folder: string, path: string): Promise<string | undefined> {
  if (isAbsolute(path) || !isInside(folder, join(folder, path))) return undefined;
  const real = await realpath(join(folder, path));
  return isInside(await realpath(folder), real) ? real : undefined;
}
