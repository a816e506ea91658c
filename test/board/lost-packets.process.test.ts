// A network that loses packets and tells nobody: what a board says goes another way after a few seconds, and counts once.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { filterLack } from '../../dispatcher/drivers/door-filter.ts';
import { FakeServer } from './fake-server.ts';
import { Namespace } from './namespace.ts';
import { SerialBoard } from './serial-board.ts';
import { pairs, usable } from './shells.ts';

const lack = await filterLack();
if (lack !== undefined) process.stderr.write(`skipped: networks that lose packets: ${lack}\n`);

/** A connection is given up after 5 s; without a limit it would be after two minutes. */
const FIRST_VERB_MS_MAX = 20_000;
/** Of a shorter silence than that of real boards. */
const SILENCE_SECONDS = 8;

let namespace: Namespace;
/** Where the line leads, and where the network does. */
let byLine: FakeServer;
let door: FakeServer;
let serial: SerialBoard;

const sent = (server: FakeServer) =>
  server.requests
    .filter(({ verb }) => verb !== 'suite')
    .map(({ verb, words }) => [verb, ...words].join(' '));

describe
  .skipIf(lack !== undefined)
  .each(usable(pairs.filter(({ name }) => !name.endsWith('without the link'))))(
  'a board whose network loses packets, $name',
  { timeout: 90_000 },
  (pair) => {
    beforeAll(() => {
      namespace = Namespace.open();
    });
    afterAll(() => namespace.close());
    beforeEach(async () => {
      byLine = await FakeServer.open();
      door = await FakeServer.open(namespace.outside);
      serial = new SerialBoard(pair, byLine.url, { enter: (words) => namespace.enter(words) });
      serial.board.copyPrograms((text) =>
        text.replace(/^(muster_silence_seconds=)\d+/m, `$1${SILENCE_SECONDS}`),
      );
      serial.board.env.MUSTER_URL = door.url;
    });
    afterEach(async () => {
      serial.remove();
      await door.close();
      await byLine.close();
    });

    it('says its first verb over its line within seconds, and the next ones at once', async () => {
      namespace.losePackets();
      try {
        const from = performance.now();
        await serial.run('lava-send a\nlava-send b\n');
        expect(performance.now() - from).toBeLessThan(FIRST_VERB_MS_MAX);
      } finally {
        namespace.passPackets();
      }
      expect(sent(byLine)).toEqual(['send a', 'send b']);
      expect(sent(door)).toEqual([]);
    });

    it('goes to its next server before its line', async () => {
      // Nobody has that address: what is sent there is lost.
      serial.board.env.MUSTER_URL = `http://${namespace.nobody}:80 ${door.url}`;
      const from = performance.now();
      const printed = await serial.run('lava-send a\nlava-send b\n');
      expect(performance.now() - from).toBeLessThan(FIRST_VERB_MS_MAX);
      expect(sent(door)).toEqual(['send a', 'send b']);
      expect(printed).not.toContain('<MUSTER_LINE');
    });

    it('goes on with the same wait over its line, when they are lost in the middle of it', async () => {
      door.plan('wait', 'silent');
      byLine.plan('wait', 'ok\nk=v\n');
      const ended = serial.run('lava-send before\nlava-wait x\nlava-send after\n');
      await expect.poll(() => door.of('wait').length, { timeout: 20_000 }).toBe(1);
      const [wait] = door.of('wait');
      namespace.losePackets();
      try {
        // Its answer is under way, and never comes.
        wait?.answer('ok\nk=v\n');
        await ended;
      } finally {
        namespace.passPackets();
      }
      expect(sent(door)).toEqual(['send before', 'wait x']);
      expect(sent(byLine)).toEqual(['wait x', 'send after']);
      expect(byLine.of('wait')[0]?.key).toBe(wait?.key);
      expect(serial.board.readCache()).toBe('k=v\n');
    });
  },
);
