/** Who a server is, kept in its data folder: the secret of its boards' tokens, and its worker's name in the log. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** The secret from which every board's token is derived: made once, kept beside the log, never in it. */
export async function secretOf(dataDir: string): Promise<Buffer> {
  const file = join(dataDir, 'secret');
  const known = await readFile(file).catch(() => undefined);
  if (known !== undefined && known.length >= 32) return known;
  const secret = randomBytes(32);
  await keepInFile(file, secret);
  return secret;
}

/**
 * The name under which the server's own boards stand in the log: the host's when the data folder was made, for a host
 * may be called something else tomorrow. Where several servers share a log two of them may be on one host, so there a
 * few letters make it unique.
 */
export async function workerNameOf(
  dataDir: string,
  shared: boolean,
  called = hostname(),
): Promise<string> {
  const file = join(dataDir, 'worker-name');
  const known = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (known !== '') return known;
  const host = called.split('.')[0] || 'local';
  const name = shared ? `${host}-${randomBytes(2).toString('hex')}` : host;
  await keepInFile(file, `${name}\n`);
  return name;
}

/** Whole, or as it was before. */
export async function keepInFile(file: string, content: Buffer | string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
