/** The files that `muster lint` reads: jobs, definitions, and checkouts that lie on this machine. Nothing is fetched. */
import { execFileSync } from 'node:child_process';
import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestSource } from '../machines/definition.ts';
import { withoutSecrets } from '../submission/addresses.ts';
import type { ReadFile } from '../submission/lint/call-graph.ts';
import type { Opened } from '../submission/lint/members.ts';

const FILE_BYTES_MAX = 1_048_576;
const FILES_MAX = 20_000;
const GIT_OUTPUT_MAX = 64 * 1_048_576;

/** A text, `null` where it is none or too large, `undefined` where there is none. */
export function readText(path: string): string | null | undefined {
  try {
    const about = statSync(path);
    if (!about.isFile()) return undefined;
    if (about.size > FILE_BYTES_MAX) return null;
    return asText(readFileSync(path));
  } catch {
    return undefined;
  }
}

function asText(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return text.includes('\0') ? null : text;
}

/** Files of a folder by their paths in it; nothing outside of it is read. */
export function folderReader(root: string): ReadFile {
  const known = new Map<string, string | null | undefined>();
  return (path) => {
    if (known.has(path)) return known.get(path);
    const full = resolve(root, path);
    const isInside = full.startsWith(resolve(root) + sep);
    const text = isInside ? readText(full) : undefined;
    known.set(path, text);
    return text;
  };
}

/** Where the checkout of a file begins: the folder with `.git` above it, or else its own. */
export function rootOf(file: string): string {
  const own = dirname(resolve(file));
  for (let at = own; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return own;
  }
}

export function* filesBelow(folder: string): Generator<string> {
  let count = 0;
  const entries: Dirent[] = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== '.git' && entry.name !== 'node_modules')
      yield* filesBelow(path);
    else if (entry.isFile()) {
      count += 1;
      if (count > FILES_MAX) return;
      yield path;
    }
  }
}

/** How files are named: from where somebody stands, where that is shorter. */
export function shownPath(path: string): string {
  const from = relative(process.cwd(), path);
  return from === '' || from.startsWith('..') ? path : from;
}

/**
 * Opens what a job names, where it lies on this machine.
 *
 * @param checkouts folders that stand for repositories, by their addresses
 */
export function opener(
  job: string,
  checkouts: ReadonlyMap<string, string>,
): (source: TestSource) => Opened {
  return (source) => {
    if (source.from === 'url') return openUrl(source.url);
    const folder = checkouts.get(source.repository) ?? localFolder(source.repository, job);
    const shown = withoutSecrets(source.repository);
    if (folder === undefined) return { missing: `${source.path} of ${shown} was not fetched` };
    const isFixed = source.revision !== undefined && !checkouts.has(source.repository);
    const readFile = isFixed
      ? revisionReader(folder, source.revision ?? 'HEAD')
      : folderReader(folder);
    const text = readFile(source.path);
    if (typeof text !== 'string')
      return {
        missing: `${shown} has no file ${source.path}${isFixed ? ` at ${source.revision}` : ''}`,
      };
    return { file: source.path, text, readFile, prefix: `${shownPath(folder)}/` };
  };
}

function localFolder(repository: string, job: string): string | undefined {
  const path = repository.startsWith('file://') ? pathOf(repository) : repository;
  if (path === undefined || /^[a-z+]+:\/\/|^[^/]+@|^[^/]+:/.test(path)) return undefined;
  const folder = resolve(dirname(job), path);
  try {
    return statSync(folder).isDirectory() ? folder : undefined;
  } catch {
    return undefined;
  }
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

/** A repository as it was at a revision. */
function revisionReader(folder: string, revision: string): ReadFile {
  const known = new Map<string, string | null | undefined>();
  return (path) => {
    if (!known.has(path)) known.set(path, blob(folder, revision, path));
    return known.get(path);
  };
}

function blob(folder: string, revision: string, path: string): string | null | undefined {
  try {
    const options = {
      stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'],
      maxBuffer: GIT_OUTPUT_MAX,
    };
    const bytes = execFileSync(
      'git',
      ['-C', folder, 'show', '--end-of-options', `${revision}:${path}`],
      options,
    );
    return bytes.length > FILE_BYTES_MAX ? null : asText(bytes);
  } catch {
    return undefined;
  }
}

function openUrl(url: string): Opened {
  const path = url.startsWith('file://') ? pathOf(url) : undefined;
  const text = path === undefined ? undefined : readText(path);
  if (path === undefined || typeof text !== 'string')
    return { missing: `${withoutSecrets(url)} was not fetched` };
  // A definition by itself: there is no checkout around it.
  return { file: path.slice(1), text, readFile: () => undefined, prefix: '/' };
}
