/**
 * What ran, for whoever asks later: the text files of a suite's checkout and the scripts that were made of its definition,
 * by what is in them. Binary and huge files are named with size and digest, and not kept.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { withSecretsCovered } from '../submission/addresses.ts';
import type { SourceFile, SourceList, SourceScript } from '../wire/sources.ts';
import type { Limits } from './drivers/driver.ts';
import { codeOf } from './failure.ts';

/** What of one suite is kept at most. */
export type SourceLimits = Pick<Limits, 'sourceFileBytes' | 'sourceBytes'>;
/** More files than these are counted. */
const FILES_MAX = 2_000;
/** Nobody reads a text with a NUL. */
const NUL = 0;

/** A script that was made of the definition, and where its steps come from. */
export type Script = Pick<SourceScript, 'name' | 'steps'> & { text: string };

export interface Gathered {
  list: SourceList;
  /** By digest. */
  texts: ReadonlyMap<string, Buffer>;
}

/**
 * @param checkout its folder on the worker
 * @param definition the file of the definition in it; absent: there is none
 */
export async function gatherSources(
  checkout: string,
  definition: string | undefined,
  scripts: readonly Script[],
  limits: SourceLimits,
): Promise<Gathered> {
  const texts = new Map<string, Buffer>();
  const keep = (content: Buffer): string => {
    const digest = createHash('sha256').update(content).digest('hex');
    texts.set(digest, content);
    return digest;
  };
  const kept = scripts.map(({ text, ...script }): SourceScript => {
    // Its parameters may be addresses with a password; offsets into it stay what they are.
    const content = Buffer.from(withSecretsCovered(text));
    return { ...script, bytes: content.length, digest: keep(content) };
  });
  const found = await filesOf(checkout, definition);
  const files: SourceFile[] = [];
  let bytes = 0;
  for (const path of found.slice(0, FILES_MAX)) {
    const { file, content } = await readSource(checkout, path, limits.sourceFileBytes);
    if (content === undefined) files.push(file);
    else if (bytes + content.length > limits.sourceBytes) files.push({ ...file, notKept: 'many' });
    else {
      bytes += content.length;
      files.push({ ...file, digest: keep(content) });
    }
  }
  const more = found.length - files.length;
  const list = {
    ...(definition !== undefined && { definition }),
    files,
    scripts: kept,
    ...(more > 0 && { more }),
  };
  return { list, texts };
}

/** Every file of a checkout, those near its top first, and the definition before all; not those of git itself. */
async function filesOf(checkout: string, definition: string | undefined): Promise<string[]> {
  const files: string[] = definition === undefined ? [] : [definition];
  let folders = [''];
  while (folders.length > 0) {
    const below: string[] = [];
    for (const folder of folders)
      for (const entry of await entriesOf(join(checkout, folder))) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        if (entry.isDirectory()) {
          if (entry.name !== '.git') below.push(path);
        } else if (path !== definition) files.push(path);
      }
    folders = below;
  }
  return files;
}

async function entriesOf(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readSource(
  checkout: string,
  path: string,
  bytesMax: number,
): Promise<{ file: SourceFile; content?: Buffer }> {
  const place = join(checkout, path);
  const about = await lstat(place);
  if (about.isSymbolicLink() || !about.isFile()) {
    const target = about.isSymbolicLink() ? await readlink(place) : '';
    const digest = createHash('sha256').update(target).digest('hex');
    return { file: { path, bytes: target.length, digest, notKept: 'link' } };
  }
  if (about.size > bytesMax) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(place)) hash.update(chunk as Buffer);
    return { file: { path, bytes: about.size, digest: hash.digest('hex'), notKept: 'large' } };
  }
  const content = await readFile(place);
  const digest = createHash('sha256').update(content).digest('hex');
  const file = { path, bytes: content.length, digest };
  return content.includes(NUL) ? { file: { ...file, notKept: 'binary' } } : { file, content };
}
