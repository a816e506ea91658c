// A thousand calls of real shells over a line that damages a twentieth of what goes over it, eight at a time.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { SerialBoard } from './serial-board.ts';
import { pairs, usable } from './shells.ts';

let server: FakeServer;
let serial: SerialBoard;
beforeEach(async () => {
  server = await FakeServer.open();
});
afterEach(async () => {
  serial.remove();
  await server.close();
});

const LOOPS = 8;
const SENDS = 110;
const SYNCS = 15;

describe.each(usable(pairs.filter(({ client }) => client === 'curl')))(
  'a board with its console alone, $name',
  { timeout: 400_000 },
  (pair) => {
    it('says a thousand things over a bad line, each of which counts once', async () => {
      serial = new SerialBoard(pair, server.url, { rate: 0.05, seed: 987_654_321 });
      const loop = `for l in $(seq 1 ${LOOPS}); do ( n=1; while [ $n -le ${SENDS} ]; do lava-send "m$l.$n" k=$n; n=$((n+1)); done; n=1; while [ $n -le ${SYNCS} ]; do lava-sync "s$l.$n"; n=$((n+1)); done ) & done`;
      const printed = await serial.run(`set +x\n${loop}\nwait\necho "all said"\n`);
      expect(printed).toContain('\nall said\n');
      const calls = server.requests.filter(({ verb }) => verb === 'send' || verb === 'sync');
      const byKey = new Map(calls.map(({ key, verb, words }) => [key, `${verb} ${words[0]}`]));
      expect(byKey.size).toBe(LOOPS * (SENDS + SYNCS));
      expect(new Set(byKey.values()).size).toBe(LOOPS * (SENDS + SYNCS));
      expect(serial.damagedCount).toBeGreaterThan(20);
    });
  },
);
