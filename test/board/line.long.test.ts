// What real shells say over a line that is bad, or for long.
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { SerialBoard } from './serial-board.ts';
import { everyShell, usable } from './shells.ts';

let server: FakeServer;
let serial: SerialBoard;
beforeEach(async () => {
  server = await FakeServer.open();
});
afterEach(async () => {
  serial.remove();
  await server.close();
});

const calls = () => server.requests.filter(({ verb }) => verb !== 'suite');

const LOOPS = 8;
const SENDS = 110;
const SYNCS = 15;

describe.each(usable(everyShell.filter(({ client }) => client === 'curl')))(
  'a board with its console alone, $name',
  { timeout: 400_000 },
  (pair) => {
    it('says a thousand things over a bad line, each of which counts once', async () => {
      serial = new SerialBoard(pair, server.url, { rate: 0.05, seed: 987_654_321 });
      const loop = `for l in $(seq 1 ${LOOPS}); do ( n=1; while [ $n -le ${SENDS} ]; do lava-send "m$l.$n" k=$n; n=$((n+1)); done; n=1; while [ $n -le ${SYNCS} ]; do lava-sync "s$l.$n"; n=$((n+1)); done ) & done`;
      const printed = await serial.run(`set +x\n${loop}\nwait\necho "all said"\n`);
      expect(printed).toContain('\nall said\n');
      const said = calls().filter(({ verb }) => verb === 'send' || verb === 'sync');
      const byKey = new Map(said.map(({ key, verb, words }) => [key, `${verb} ${words[0]}`]));
      expect(byKey.size).toBe(LOOPS * (SENDS + SYNCS));
      expect(new Set(byKey.values()).size).toBe(LOOPS * (SENDS + SYNCS));
      expect(serial.damagedCount).toBeGreaterThan(20);
    });
  },
);

describe.each(usable(everyShell))(
  'a board with its console alone, $name,',
  { timeout: 60_000 },
  (pair) => {
    it('carries a message of 64 KiB, and refuses a file that is too large for a line', async () => {
      serial = new SerialBoard(pair, server.url);
      fs.writeFileSync(path.join(serial.board.folder, 'large'), Buffer.alloc(65_537));
      const printed = await serial.run(
        `v=$(head -c 60000 /dev/zero | tr '\\000' a)\nset +x\nlava-send m "k=$v"\nlava-test-attach ${serial.board.folder}/large || echo "attach $?"\n`,
      );
      expect(calls()[0]?.words[1]).toBe(`k=${'a'.repeat(60_000)}`);
      expect(printed).toMatch(
        /large is too large for the console, which takes files of at most 65536 bytes/,
      );
      expect(printed).toContain('\nattach 1\n');
    });

    it('loses nothing and counts nothing twice when a quarter of the lines is damaged', async () => {
      serial = new SerialBoard(pair, server.url, { rate: 0.25, seed: 123_456_789 });
      server.plan('sync', 'wait', 'ok');
      await serial.run(
        'for i in $(seq 1 10); do lava-send "m$i" "k=$i"; done 2>/dev/null\nlava-sync s\nlava-test-case c --result pass\n',
      );
      const byKey = new Map(
        calls().map(({ key, verb, words }) => [key, [verb, ...words].join(' ')]),
      );
      expect(serial.damagedCount).toBeGreaterThan(5);
      expect([...byKey.values()]).toEqual([
        ...Array.from({ length: 10 }, (_, at) => `send m${at + 1} k=${at + 1}`),
        'sync s',
        'result case=c result=pass',
      ]);
    });
  },
);
