/**
 * Definitions that lint reads at submission: those of repositories and files that lie on this machine in a folder that jobs may
 * read (`allow_files`). A few small files, in a short time; nothing is fetched, and nothing that they name is run.
 */
import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { admitFile, admitRepository } from '../dispatcher/gate.ts';
import type { OpenDefinition } from '../submission/lint/at-submission.ts';
import type { Opened } from '../submission/lint/members.ts';

const FILE_BYTES_MAX = 65_536;
const FILES_MAX = 300;
const REPOSITORY_BYTES_MAX = 2 * 1_048_576;
const GIT_OUTPUT_MAX = 8 * 1_048_576;

/** @param allowed the folders, as the lab's file was read last */
export function lintSources(allowed: () => readonly string[]): OpenDefinition {
  const repositories = new Map<string, Promise<Map<string, string | null> | string>>();
  return async (source, signal): Promise<Opened> => {
    const allowFiles = allowed();
    if (source.from === 'url') return openFile(source.url, allowFiles);
    const revision = source.revision ?? 'HEAD';
    const admitted = await admitRepository(source.repository, allowFiles);
    if ('refused' in admitted) return { missing: admitted.refused };
    if (admitted.protocols !== 'file') return { missing: 'it lies on another machine' };
    if (revision.startsWith('-')) return { missing: `there is no revision ${revision}` };
    const key = `${admitted.repository}\0${revision}`;
    // Those that one job names twice are read once; it is not kept longer, since branches move.
    const reading = repositories.get(key) ?? filesOf(admitted.repository, revision, signal);
    repositories.set(key, reading);
    const files = await reading.finally(() => repositories.delete(key));
    if (typeof files === 'string') return { missing: files };
    const text = files.get(source.path);
    if (typeof text !== 'string') return { missing: `${source.path} is no small text file there` };
    return { file: source.path, text, readFile: (path) => files.get(path), prefix: '' };
  };
}

async function openFile(url: string, allowFiles: readonly string[]): Promise<Opened> {
  if (!url.startsWith('file:')) return { missing: 'it lies on another machine' };
  const admitted = await admitFile(url, allowFiles);
  if ('refused' in admitted) return { missing: admitted.refused };
  const file = await open(admitted.path);
  try {
    const { size } = await file.stat();
    if (size > FILE_BYTES_MAX) return { missing: 'it is too large' };
    const text = textOf(await file.readFile());
    if (text === null) return { missing: 'it is no text' };
    const prefix = `${dirname(admitted.path)}/`;
    return { file: admitted.path.slice(prefix.length), text, readFile: () => undefined, prefix };
  } finally {
    await file.close();
  }
}

/** The small text files of a revision, `null` for those that are none; or why there are none. */
async function filesOf(
  folder: string,
  revision: string,
  signal: AbortSignal,
): Promise<Map<string, string | null> | string> {
  const tree = ['ls-tree', '-r', '-l', '-z', '--end-of-options', revision];
  const listed = await git(folder, tree, '', signal);
  if (listed === undefined) return `there is no revision ${revision}`;
  const files = new Map<string, string | null>();
  const wanted: { path: string; blob: string }[] = [];
  let bytes = 0;
  for (const line of listed.toString('utf8').split('\0')) {
    const [, mode, blob, size, path] = /^(\d+) blob (\w+) +(\d+)\t(.*)$/s.exec(line) ?? [];
    if (blob === undefined || path === undefined || mode === '120000') continue;
    files.set(path, null);
    bytes += Number(size);
    const isSmall = Number(size) <= FILE_BYTES_MAX && bytes <= REPOSITORY_BYTES_MAX;
    if (isSmall && wanted.length < FILES_MAX) wanted.push({ path, blob });
  }
  const input = wanted.map(({ blob }) => `${blob}\n`).join('');
  const all = await git(folder, ['cat-file', '--batch'], input, signal);
  if (all === undefined) return 'it could not be read';
  let at = 0;
  for (const { path } of wanted) {
    const end = all.indexOf(0x0a, at);
    const size = Number(all.toString('latin1', at, end).split(' ')[2]);
    if (end < 0 || Number.isNaN(size)) break;
    files.set(path, textOf(all.subarray(end + 1, end + 1 + size)));
    at = end + 1 + size + 1;
  }
  return files;
}

function textOf(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return text.includes('\0') ? null : text;
}

function git(
  folder: string,
  words: readonly string[],
  input: string,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_NO_LAZY_FETCH: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    };
    const child = execFile(
      'git',
      ['-C', folder, ...words],
      { env, signal, maxBuffer: GIT_OUTPUT_MAX, encoding: 'buffer' },
      (error, stdout) => {
        if (signal.aborted) reject(signal.reason);
        else resolve(error === null ? stdout : undefined);
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
