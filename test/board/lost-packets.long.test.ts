// A network that loses packets and tells nobody: what a board says goes another way after a few seconds, and counts once.
import { describe, it, type onTestFinished } from 'vitest';
import { filterLack } from '../../dispatcher/drivers/door-filter.ts';
import { FakeServer } from './fake-server.ts';
import { Namespace } from './namespace.ts';
import { SerialBoard } from './serial-board.ts';
import { everyPair, type Pair, until, usable } from './shells.ts';

const lack = await filterLack();
if (lack !== undefined) process.stderr.write(`skipped: networks that lose packets: ${lack}\n`);

/** A connection is given up after 5 s; without a limit it would be after two minutes. */
const FIRST_VERB_MS_MAX = 20_000;
/** Shorter than that of real boards. */
const SILENCE_SECONDS = 8;

/** Each client with the shell that is most often beside it. */
const PAIRS = everyPair.filter(({ name }) =>
  /^dash with (?:bash|curl|GNU)|^busybox sh with (?:bash|busybox wget)/.test(name),
);

const sent = (server: FakeServer) =>
  server.requests
    .filter(({ verb }) => verb !== 'suite')
    .map(({ verb, words }) => [verb, ...words].join(' '));

/** A board on a network of its own, with the two ends of its ways: the door of its network, and its line. */
async function boardOf(pair: Pair, finished: typeof onTestFinished) {
  const namespace = Namespace.open();
  finished(() => namespace.close());
  const byLine = await FakeServer.open();
  const door = await FakeServer.open(namespace.outside);
  const serial = new SerialBoard(pair, byLine.url, { enter: (words) => namespace.enter(words) });
  serial.board.env.MUSTER_URL = door.url;
  finished(async () => {
    serial.remove();
    await door.close();
    await byLine.close();
  });
  return { namespace, byLine, door, serial };
}

describe.skipIf(lack !== undefined).concurrent.each(usable(PAIRS))(
  'a board whose network loses packets, $name',
  { timeout: 120_000 },
  (pair) => {
    it('says its first verb over its line within seconds', async ({ expect, onTestFinished }) => {
      const { namespace, byLine, door, serial } = await boardOf(pair, onTestFinished);
      namespace.losePackets();
      const from = performance.now();
      await serial.run('lava-send a\n');
      expect(performance.now() - from).toBeLessThan(FIRST_VERB_MS_MAX);
      expect(sent(byLine)).toEqual(['send a']);
      expect(sent(door)).toEqual([]);
    });

    it('goes to its next server before its line', async ({ expect, onTestFinished }) => {
      const { namespace, door, serial } = await boardOf(pair, onTestFinished);
      serial.board.env.MUSTER_URL = `http://${namespace.nobody}:80 ${door.url}`;
      const from = performance.now();
      const printed = await serial.run('lava-send a\nlava-send b\n');
      expect(performance.now() - from).toBeLessThan(FIRST_VERB_MS_MAX);
      expect(sent(door)).toEqual(['send a', 'send b']);
      expect(printed).not.toContain('<MUSTER_LINE');
    });

    it('goes on with the same wait over its line, when they are lost in the middle of it', async ({
      expect,
      onTestFinished,
    }) => {
      const { namespace, byLine, door, serial } = await boardOf(pair, onTestFinished);
      serial.board.copyPrograms((text) =>
        text.replace(/^(muster_silence_seconds=)\d+/m, `$1${SILENCE_SECONDS}`),
      );
      door.plan('wait', 'silent');
      byLine.plan('wait', 'ok\nk=v\n');
      const ended = serial.run('lava-send before\nlava-wait x\nlava-send after\n');
      await until('the wait is at the door', () => door.of('wait').length > 0);
      const [wait] = door.of('wait');
      namespace.losePackets();
      // Its answer is under way, and never comes.
      wait?.answer('ok\nk=v\n');
      await ended;
      expect(sent(door)).toEqual(['send before', 'wait x']);
      expect(byLine.of('wait').map(({ key }) => key)).toEqual([wait?.key]);
      expect(serial.board.readCache()).toBe('k=v\n');
      expect(sent(byLine).at(-1)).toBe('send after');
    });
  },
);
