/** The command line beside a store that takes a connection and says nothing. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { child, widest } from './fake-server.ts';

test('ends although a connection that it began is never answered', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const store = `esdb://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { exit, out, err } = await child(['verify', '--store', store], { env: {} });
  silent.close();
  expect([exit, out]).toEqual([3, '']);
  expect(err).toMatch(/no\s+answer\s+within\s+5\s+s\nCheck that/);
  expect(widest(err)).toBeLessThanOrEqual(80);
}, 30_000);
