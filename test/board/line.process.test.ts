// The verbs of a board that has its console and nothing else, or whose network goes away.
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { SerialBoard } from './serial-board.ts';
import { shellsOnly, usable } from './shells.ts';

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

describe.each(usable(shellsOnly))(
  'a board with its console alone, $name',
  { timeout: 20_000 },
  (pair) => {
    it('sends words as they are, and hears the answer', async () => {
      serial = new SerialBoard(pair, server.url);
      server.plan('wait-all', 'ok\npanda01:k=a=b, "c" + 100% é\npanda02:x=\\n\n');
      const words = ['m', "k=a b + c, 100% <x> 'y' é ~ $HOME", 'l=two\\nlines'];
      const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
      await serial.run(`lava-send ${quoted}\nlava-wait-all m\n`);
      expect(calls().map(({ verb, words: said }) => [verb, ...said])).toEqual([
        ['send', ...words],
        ['wait-all', 'm'],
      ]);
      expect(serial.board.readCache()).toBe('panda01:k=a=b, "c" + 100% é\npanda02:x=\\n\n');
      expect(calls()[0]?.token).toBe('Bearer mb1.7.panda01.mac');
      expect(calls()[0]?.from).toMatch(/run\.sh/);
    });

    it('says why a verb was refused or failed, and exits 1', async () => {
      serial = new SerialBoard(pair, server.url);
      server.plan('send', 'refused the id is bad');
      server.plan('wait', 'fail panda02 has ended');
      const printed = await serial.run(
        'set +x\nlava-send x || echo "send $?"\nlava-wait y || echo "wait $?"\n',
      );
      expect(printed).toContain('lava-send: the id is bad\n');
      expect(printed).toContain('\nsend 1\n');
      expect(printed).toContain('lava-wait: panda02 has ended\n');
      expect(printed).toContain('\nwait 1\n');
      expect(serial.board.readCache()).toBe('');
    });

    it('records results, hands in files, and raises', async () => {
      serial = new SerialBoard(pair, server.url);
      const bytes = Buffer.from(Array.from({ length: 4_000 }, (_, at) => (at * 7) % 256));
      fs.writeFileSync(path.join(serial.board.folder, 'bytes'), bytes);
      await serial.run(
        `lava-test-case one --result pass --measurement 1.5\nlava-test-attach ${serial.board.folder}/bytes\nlava-test-raise 'no disk'\n`,
      );
      expect(server.uploads.map(({ name, body }) => [name, body.equals(bytes)])).toEqual([
        ['bytes', true],
      ]);
      expect(calls().map(({ verb, words }) => [verb, ...words].join(' '))).toEqual([
        'result case=one result=pass measurement=1.5',
        'raise no disk',
        'result case=exit result=fail note=status 1',
      ]);
    });

    it('answers several verbs at once, each its own', async () => {
      serial = new SerialBoard(pair, server.url);
      server.plan('wait', 'wait', 'wait', 'wait', 'ok\nk=v\n');
      const printed = await serial.run(
        `set +x\nfor i in 1 2 3 4 5 6; do lava-send "m$i" & done\nlava-wait w\nwait\necho all\n`,
      );
      expect(printed).toContain('\nall\n');
      const ids = calls().flatMap(({ verb, words }) => (verb === 'send' ? words : []));
      expect(ids.sort()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6']);
      expect(
        new Set(
          calls()
            .filter(({ verb }) => verb === 'wait')
            .map(({ key }) => key),
        ).size,
      ).toBe(1);
    });

    it('abandons a wait that is killed, at once', async () => {
      serial = new SerialBoard(pair, server.url);
      server.plan('wait', 'silent');
      const printed = await serial.run('set +x\ntimeout 1 lava-wait x || echo "ended $?"\n');
      expect(printed).toContain('\nended 124\n');
      const wait = calls().find(({ verb }) => verb === 'wait');
      expect(calls().find(({ verb }) => verb === 'abandon')?.words).toEqual([wait?.key]);
    });

    it('is heard on a line that says everything twice', async () => {
      serial = new SerialBoard(pair, server.url, { isEchoing: true });
      await serial.run('lava-send a\nlava-sync b\n');
      expect(calls().map(({ verb, words }) => [verb, ...words])).toEqual([
        ['send', 'a'],
        ['sync', 'b'],
      ]);
    });

    it('is heard though it prints binary, and another job’s console', async () => {
      serial = new SerialBoard(pair, server.url);
      fs.writeFileSync(
        path.join(serial.board.folder, 'old'),
        '\n<MUSTER_LINE 01234567-89ab 1/1 send,01234567-89ab-4000-8000-000000000000,,old, 1.2>\n',
      );
      await serial.run(
        `head -c 200000 /dev/urandom\necho\ncat ${serial.board.folder}/old\nlava-send a\n`,
      );
      expect(calls().map(({ verb, words }) => [verb, ...words])).toEqual([['send', 'a']]);
    });
  },
);

describe.each(usable(shellsOnly))(
  'a board whose network goes away, $name',
  { timeout: 40_000 },
  (pair) => {
    it('goes on with the same wait over its console, and counts it once', async () => {
      const door = await FakeServer.open();
      serial = new SerialBoard(pair, server.url);
      serial.board.env.MUSTER_URL = door.url;
      door.plan('wait', 'silent');
      server.plan('wait', 'ok\nk=v\n');
      const ended = serial.run('lava-send before\nlava-wait x\nlava-send after\n');
      await expect
        .poll(() => door.requests.some(({ verb }) => verb === 'wait'), { timeout: 10_000 })
        .toBe(true);
      const overNetwork = door.requests.find(({ verb }) => verb === 'wait');
      const before = [...door.requests];
      await door.close();
      await ended;
      expect(before.some(({ words }) => words[0] === 'before')).toBe(true);
      expect(calls().map(({ verb, words }) => [verb, ...words])).toEqual([
        ['wait', 'x'],
        ['send', 'after'],
      ]);
      expect(calls()[0]?.key).toBe(overNetwork?.key);
      expect(serial.board.readCache()).toBe('k=v\n');
    });

    it('finds its network again when that is back', async () => {
      serial = new SerialBoard(pair, server.url);
      const door = await FakeServer.open();
      serial.board.env.MUSTER_URL = door.url;
      // One call in sixteen looks: that none of so many does is as good as never.
      const script = `echo line: >"$MUSTER_HOME/answered"\nset +x\nfor i in $(seq 1 150); do lava-send m; done\n`;
      await serial.run(script);
      const byDoor = door.requests.filter(({ verb }) => verb === 'send').length;
      expect(byDoor + calls().length).toBe(150);
      expect(byDoor).toBeGreaterThan(0);
      expect(fs.readFileSync(path.join(serial.board.home, 'answered'), 'utf8')).toBe(
        `${door.url}\n`,
      );
      await door.close();
    });

    it('waits for a server that starts anew, and says nothing on its console', async () => {
      serial = new SerialBoard(pair, server.url);
      serial.board.env.MUSTER_URL = server.url;
      server.plan('send', 'drop before an answer', 'reset in mid-answer', 'ok');
      const printed = await serial.run('lava-send x\n');
      expect(calls()).toHaveLength(3);
      expect(printed).not.toContain('<MUSTER_LINE');
    });
  },
);
