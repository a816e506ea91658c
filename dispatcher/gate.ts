/**
 * The one gate for what a job can make the worker read: images, definitions and git repositories, whoever names them (the
 * job, a definition, a parameter of either). What lies on the worker itself must lie in a folder that the lab allows
 * (`allow_files`), links followed; git speaks only the protocol of its address and runs no program that it names.
 */
import { realpath, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GIT_REPOSITORY, isGitRepository } from '../submission/sources.ts';
import { codeOf, messageOf } from './failure.ts';
import { isInside } from './files.ts';

export type Admitted<T> = T | { refused: string };

/** The real path of what a `file:` URL or an absolute path names, if it lies in an allowed folder. */
async function allowedPath(
  address: string,
  allowFiles: readonly string[],
): Promise<Admitted<{ path: string }>> {
  const list = allowFiles.length === 0 ? 'none' : allowFiles.join(', ');
  const outside = {
    refused: `it lies in no folder that the lab lets jobs read (allow_files: ${list})`,
  };
  let named = address;
  try {
    if (address.startsWith('file:')) named = fileURLToPath(address);
    const path = await realpath(named);
    for (const folder of allowFiles) {
      const real = await realpath(folder).catch(() => undefined);
      if (real !== undefined && isInside(real, path)) return { path };
    }
    return outside;
  } catch (error) {
    // Whether there is a file elsewhere is nobody's business.
    if (!allowFiles.some((folder) => isInside(folder, named))) return outside;
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
    return { refused: isMissing ? 'there is no such file' : messageOf(error) };
  }
}

/** The real path of a regular file named by a `file:` URL. */
export async function admitFile(
  url: string,
  allowFiles: readonly string[],
): Promise<Admitted<{ path: string }>> {
  const found = await allowedPath(url, allowFiles);
  if ('refused' in found || (await stat(found.path)).isFile()) return found;
  return { refused: 'it is not a regular file' };
}

/** What git is to clone, and the only protocols that it may speak meanwhile (`GIT_ALLOW_PROTOCOL`). */
export async function admitRepository(
  address: string,
  allowFiles: readonly string[],
): Promise<Admitted<{ repository: string; protocols: string }>> {
  if (!isGitRepository(address)) return { refused: `expected ${GIT_REPOSITORY}` };
  const scheme = /^([a-z]+):\/\//.exec(address)?.[1];
  if (address.startsWith('/') || scheme === 'file') {
    const found = await allowedPath(address, allowFiles);
    return 'refused' in found ? found : { repository: found.path, protocols: 'file' };
  }
  // A redirect may lead from one of these to the other, and nowhere else.
  const isWeb = scheme === 'http' || scheme === 'https';
  return { repository: address, protocols: isWeb ? 'https:http' : (scheme ?? 'ssh') };
}
