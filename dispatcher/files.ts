/** Where files may lie: paths that stay inside a folder, and the folders that `file:` may read. */
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, messageOf } from './failure.ts';

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

/**
 * The real path of a regular file named by a `file:` URL, when it lies in one of the allowed folders.
 *
 * @returns the path, or in words why it may not be read
 */
export async function allowedFile(
  url: string,
  allowFiles: readonly string[],
): Promise<{ path: string } | { refused: string }> {
  let path: string;
  try {
    path = await realpath(fileURLToPath(url));
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
    return { refused: isMissing ? 'there is no such file' : messageOf(error) };
  }
  for (const folder of allowFiles) {
    const real = await realpath(folder).catch(() => undefined);
    if (real === undefined || !isInside(real, path)) continue;
    if (!(await stat(path)).isFile()) return { refused: 'it is not a regular file' };
    return { path };
  }
  const list = allowFiles.length === 0 ? 'none' : allowFiles.join(', ');
  return { refused: `it lies in no folder that the lab lets file: URLs read (${list})` };
}
