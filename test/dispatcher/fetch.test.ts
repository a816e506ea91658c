// What a job names is opened by its address.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openUrl } from '../../dispatcher/fetch.ts';

const codes = { refused: 'image-refused', unreachable: 'image-unreachable' } as const;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-fetch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An error event that nobody hears would end the process, and fail this test. */
it.each(['before', 'after'])(
  'a file whose step is taken back %s it is opened, and that nobody reads, ends nothing',
  async (when) => {
    const file = join(folder, 'image');
    writeFileSync(file, 'x'.repeat(100_000));
    const taken = new AbortController();
    if (when === 'before') taken.abort();
    const body = await openUrl('image', `file://${file}`, codes, [folder], taken.signal);
    if (when === 'after') taken.abort();
    await new Promise((done) => body.once('close', done));
    expect(body.errored?.name).toBe('AbortError');
  },
);

it('an answer that breaks off before somebody reads it ends nothing, and whoever reads it is told', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': 1_000 });
    response.write('x', () => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const body = await openUrl(
    'image',
    `http://127.0.0.1:${port}/i`,
    codes,
    [],
    new AbortController().signal,
  );
  await expect(body.toArray()).rejects.toThrow();
  server.close();
});
