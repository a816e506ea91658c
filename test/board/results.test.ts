// lava-test-case, lava-test-set and lava-test-raise: what is recorded, printed and returned.
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { boardTest, pairs, usable } from './shells.ts';

describe.concurrent.each(usable(pairs))('results from a board that has $name', (pair) => {
  const it = boardTest(pair);

  it('are recorded as given, with a line for people that is no signal', async ({
    board,
    server,
    expect,
  }) => {
    const words = ['boot', '--result', 'pass', '--measurement', '12.3', '--units', 'seconds'];
    expect(await board.run('lava-test-case', ...words)).toEqual({
      status: 0,
      signal: null,
      stdout: 'muster: case boot: pass 12.3 seconds\n',
      stderr: '',
    });
    for (const result of ['fail', 'skip', 'unknown'])
      await board.run('lava-test-case', '-n', '--result', result);
    expect(server.of('result').map((request) => request.words)).toEqual([
      ['case=boot', 'result=pass', 'measurement=12.3', 'units=seconds'],
      ['case=-n', 'result=fail'],
      ['case=-n', 'result=skip'],
      ['case=-n', 'result=unknown'],
    ]);
  });

  it('of a command follow its status, which is the status of lava-test-case', async ({
    board,
    server,
    expect,
  }) => {
    const good = await board.run('lava-test-case', 'a', '--shell', 'echo', 'out;', 'false || true');
    expect(good).toMatchObject({ status: 0, stdout: 'out\nmuster: case a: pass\n' });
    const bad = await board.run('lava-test-case', 'b', '--shell', 'echo err >&2; exit 7');
    expect(bad).toMatchObject({ status: 7, stdout: 'muster: case b: fail\n', stderr: 'err\n' });
    const killed = await board.run('lava-test-case', 'c', '--shell', 'kill -9 $$');
    expect(killed.status).toBe(137);
    expect(server.of('result').map((request) => request.words)).toEqual([
      ['case=a', 'result=pass'],
      ['case=b', 'result=fail', 'note=status 7'],
      ['case=c', 'result=fail', 'note=status 137'],
    ]);
  });

  it('that are refused are said; a command still ends as it did', async ({
    board,
    server,
    expect,
  }) => {
    server.plan('result', 'refused bad case id\n');
    expect(await board.run('lava-test-case', 'a=b', '--result', 'pass')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'lava-test-case: bad case id\n',
    });
    expect(await board.run('lava-test-case', 'a=b', '--shell', 'true')).toMatchObject({
      status: 0,
      stderr: 'lava-test-case: bad case id\n',
    });
  });

  it('that make no sense get a clear line and exit 1, and are not recorded', async ({
    board,
    server,
    expect,
  }) => {
    const calls: [string[], RegExp][] = [
      [[], /^Usage: lava-test-case /],
      [['boot'], /^Usage/],
      [['', '--result', 'pass'], /^Usage/],
      [['boot', '--shell'], /^Usage/],
      [['boot', '--result'], /^lava-test-case: boot: --result wants a value\n$/],
      [['boot', '--result', 'PASS'], /--result PASS is not pass, fail, skip or unknown/],
      [['boot', '--measurement', '1'], /--result is missing/],
      [['boot', '--result', 'pass', '--unit', 's'], /unknown word --unit; known: /],
    ];
    for (const [words, line] of calls) {
      const ended = await board.run('lava-test-case', ...words);
      expect(ended).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr).toMatch(line);
    }
    expect(server.requests).toEqual([]);
  });

  it('carry the name of the open set', async ({ board, server, expect }) => {
    await board.run('lava-test-set', 'start', 'net work');
    await board.run('lava-test-case', 'ping', '--result', 'pass');
    await board.run('lava-test-set', 'stop');
    await board.run('lava-test-case', 'pong', '--result', 'pass');
    expect(server.of('result').map((request) => request.words)).toEqual([
      ['case=ping', 'result=pass', 'set=net work'],
      ['case=pong', 'result=pass'],
    ]);
  });

  it('have sets that start with a name and stop without one', async ({ board, expect }) => {
    for (const words of [[], ['start'], ['start', ''], ['start', 'a', 'b'], ['stop', 'a'], ['go']])
      expect(await board.run('lava-test-set', ...words)).toMatchObject({
        status: 1,
        stderr: 'Usage: lava-test-set start <name> | stop\n',
      });
    expect((await board.run('lava-test-set', 'stop')).status).toBe(0);
  });

  it('have no set when its name cannot be kept, and say so', async ({ board, expect }) => {
    fs.mkdirSync(path.join(board.home, 'test-set'));
    expect(await board.run('lava-test-set', 'start', 'net')).toMatchObject({
      status: 1,
      stderr: `lava-test-set: cannot write ${board.home}/test-set\n`,
    });
  });

  it('end with lava-test-raise and its message, one word on the wire', async ({
    board,
    server,
    expect,
  }) => {
    expect((await board.run('lava-test-raise', 'no disk')).status).toBe(0);
    await board.run('lava-test-raise', 'no', 'disk', 'at all');
    expect(server.of('raise').map((request) => request.words)).toEqual([
      ['no disk'],
      ['no disk at all'],
    ]);
  });
});
