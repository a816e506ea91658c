// lava-test-case, lava-test-set and lava-test-raise: what is recorded, printed and returned.
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { boardTest, find, pairs, usable } from './shells.ts';

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

  it('of a command follow its status, and lava-test-case ends with 0; with --strict as the command did', async ({
    board,
    server,
    expect,
  }) => {
    board.env.MUSTER_SHELL = '/bin/sh';
    const good = await board.run('lava-test-case', 'a', '--shell', 'echo out; false || true');
    expect(good).toMatchObject({
      status: 0,
      stdout: '<LAVA_SIGNAL_STARTTC a>\nout\n<LAVA_SIGNAL_ENDTC a>\nmuster: case a: pass\n',
    });
    const bad = await board.run('lava-test-case', 'b', '--shell', 'echo err >&2; exit 7');
    expect(bad).toMatchObject({ status: 0, stderr: 'err\n' });
    expect(bad.stdout).toContain('muster: case b: fail\n');
    const ends = [
      await board.run('lava-test-case', 'c', '--strict', '--shell', 'kill -9 $$'),
      await board.run('lava-test-case', 'd', '--strict', '--shell', 'exit 7'),
      await board.run('lava-test-case', 'e', '--strict', '--shell', 'true'),
      await board.run('lava-test-case', 'f', '--shell', '/no/such/program'),
    ];
    expect(ends.map(({ status }) => status)).toEqual([137, 7, 0, 0]);
    expect(server.of('result').map((request) => request.words)).toEqual([
      ['case=a', 'result=pass'],
      ['case=b', 'result=fail', 'note=status 7'],
      ['case=c', 'result=fail', 'note=status 137, killed by SIGKILL'],
      ['case=d', 'result=fail', 'note=status 7'],
      ['case=e', 'result=pass'],
      ['case=f', 'result=fail', 'note=status 127'],
    ]);
  });

  it('come from one command line, or from the words of one command as they are', async ({
    board,
    expect,
  }) => {
    const first = path.join(board.folder, 'first.sh');
    const script = `#!${find('sh')}\nfor word; do printf '[%s]' "$word"; done; echo "$TEST_CASE_ID"\n`;
    fs.writeFileSync(first, script, { mode: 0o755 });
    const printed = async (...words: string[]) => {
      const { stdout } = await board.run('lava-test-case', 'x', '--shell', ...words);
      return stdout.split('\n').slice(1, -3).join('\n');
    };
    expect(await printed(first, 'two  words', '', '*', '$HOME', ';')).toBe(
      '[two  words][][*][$HOME][;]x',
    );
    expect(await printed(`"${first}" 'two  words' "" $((1 + 1))`)).toBe('[two  words][][2]x');
    expect(await printed('test', '1', '=', '1')).toBe('');
  });

  it('of a command line are those of bash where the board has /bin/bash, or of the shell that the lab names', async ({
    board,
    server,
    expect,
    skip,
  }) => {
    skip(!fs.existsSync('/bin/bash'), 'there is no /bin/bash');
    const line = '[[ abc == a* ]]';
    await board.run('lava-test-case', 'bash', '--shell', line);
    board.env.MUSTER_SHELL = find('dash') ?? '/bin/sh';
    await board.run('lava-test-case', 'dash', '--shell', line);
    expect(server.of('result').map((request) => request.words.slice(0, 2))).toEqual([
      ['case=bash', 'result=pass'],
      ['case=dash', 'result=fail'],
    ]);
  });

  it('take their options in any order, and an empty value for none', async ({
    board,
    server,
    expect,
  }) => {
    const calls = [
      ['--units', 'MB/s', '--measurement', '9.8', '--result', 'pass'],
      ['--result', 'pass', '--measurement', '', '--units', ''],
      ['--result', 'pass', '--measurement', '--units'],
      ['--result', 'pass', '--measurement', '--units', 's'],
      ['--measurement', '--result', 'pass'],
      ['--result', 'pass', '--units'],
      ['--measurement', ' -1.5E+3\t', '--result', 'skip'],
    ];
    for (const words of calls)
      expect(await board.run('lava-test-case', 'x', ...words)).toMatchObject({
        status: 0,
        stderr: '',
      });
    expect(server.of('result').map((request) => request.words.slice(1))).toEqual([
      ['result=pass', 'measurement=9.8', 'units=MB/s'],
      ['result=pass'],
      ['result=pass'],
      ['result=pass', 'units=s'],
      ['result=pass'],
      ['result=pass'],
      ['result=skip', 'measurement=-1.5E+3'],
    ]);
  });

  it('keep a measurement that is no decimal number in the note, and say so', async ({
    board,
    server,
    expect,
  }) => {
    const wrong = ['9.8 10.2 10.0', '1,5', '9.8MB/s', 'nan', '1e', '0x10', '.', '1.2.3', '--', 'Ł'];
    for (const text of wrong) {
      const words = ['x', '--result', 'pass', '--measurement', text, '--units', 's'];
      expect(await board.run('lava-test-case', ...words)).toMatchObject({
        status: 0,
        stdout: 'muster: case x: pass\n',
        stderr: `lava-test-case: x: the measurement is not a decimal number, it goes to the note: ${text}\n`,
      });
    }
    expect(server.of('result').map((request) => request.words)).toEqual(
      wrong.map((text) => ['case=x', 'result=pass', `note=measurement ${text} s`]),
    );
    server.requests.length = 0;
    const right = [
      '1',
      '+1',
      '-0.5',
      '.5',
      '5.',
      '1.5e3',
      '1E-9',
      '00012',
      '123456789012345678901.5',
    ];
    for (const text of right)
      expect(
        (await board.run('lava-test-case', 'x', '--result', 'pass', '--measurement', text)).stderr,
      ).toBe('');
    expect(server.of('result').map((request) => request.words[2])).toEqual(
      right.map((text) => `measurement=${text}`),
    );
  });

  it('print a file between the lines that say whose it is', async ({ board, server, expect }) => {
    const log = path.join(board.folder, 'log.txt');
    fs.writeFileSync(log, 'details of it\n');
    const call = (file: string) =>
      board.run('lava-test-case', 'x', '--output', file, '--result', 'fail');
    expect((await call(log)).stdout).toBe(
      '<LAVA_SIGNAL_STARTTC x>\ndetails of it\n<LAVA_SIGNAL_ENDTC x>\nmuster: case x: fail\n',
    );
    expect(await call('/no/such')).toMatchObject({
      status: 0,
      stderr: 'lava-test-case: x: cannot read /no/such\n',
    });
    expect(server.of('result')).toHaveLength(2);
  });

  it('that are refused are said; a command is through all the same', async ({
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

  it('that make no sense get a clear line and exit 1', async ({ board, server, expect }) => {
    const calls: [string[], RegExp][] = [
      [[], /^Usage: lava-test-case /],
      [['', '--result', 'pass'], /^Usage/],
    ];
    for (const [words, line] of calls) {
      const ended = await board.run('lava-test-case', ...words);
      expect(ended).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr).toMatch(line);
    }
    expect(server.requests).toEqual([]);
  });

  it('are kept as unknown when their words make no sense, and exit 1', async ({
    board,
    server,
    expect,
  }) => {
    const calls: [string[], RegExp][] = [
      [[], /^--result is missing/],
      [['--result'], /^--result is missing/],
      [['--measurement', '1'], /^--result is missing/],
      [['--result', 'PASSED'], /^--result PASSED is not pass, /],
      [['--result', 'pass', '--unit', 's'], /^unknown word --unit; known: /],
      [['pass'], /^unknown word pass; known: /],
      [['--strict', '--shell'], /^there is no command behind --shell/],
    ];
    for (const [words, why] of calls) {
      server.requests.length = 0;
      const ended = await board.run('lava-test-case', 'boot', ...words);
      expect(ended.status).toBe(1);
      const [id, result, note = ''] = server.of('result')[0]?.words ?? [];
      expect([id, result]).toEqual(['case=boot', 'result=unknown']);
      expect(note.replace('note=', '')).toMatch(why);
      expect(ended.stderr).toBe(`lava-test-case: boot: ${note.replace('note=', '')}\n`);
    }
    expect((await board.run('lava-test-case', 'boot', '--shell')).status).toBe(0);
  });

  it('run words with what the shell of the steps has built in', async ({ board, expect }) => {
    const call = (...words: string[]) =>
      board.run('lava-test-case', 'x', '--strict', '--shell', ...words);
    fs.writeFileSync(path.join(board.folder, 'lib'), 'test "$1" = "two words"\n');
    expect((await call('.', path.join(board.folder, 'lib'), 'two words')).status).toBe(0);
    expect((await call('cd', '/')).status).toBe(0);
    expect((await call('exit', '4')).status).toBe(4);
    expect((await call('', 'x')).status).toBeGreaterThan(125);
    expect((await call('case_usage', 'x')).status).toBe(127);
  });

  it('of another word than the four are kept as unknown, with the word, and exit 1', async ({
    board,
    server,
    expect,
  }) => {
    const note = '--result PASS is not pass, fail, skip or unknown';
    expect(await board.run('lava-test-case', 'boot', '--result', 'PASS')).toMatchObject({
      status: 1,
      stderr: `lava-test-case: boot: ${note}\n`,
    });
    expect(server.of('result')[0]!.words).toEqual(['case=boot', 'result=unknown', `note=${note}`]);
  });

  it("carry the name of the open set, and upstream's line tells the console of it", async ({
    board,
    server,
    expect,
  }) => {
    const record = (id: string) => board.run('lava-test-case', id, '--result', 'pass');
    const set = async (...words: string[]) => (await board.run('lava-test-set', ...words)).stdout;
    expect(await set('start', 'net work')).toBe('<LAVA_SIGNAL_TESTSET START net work>\n');
    await record('ping');
    expect(await set('stop', 'another name')).toBe('<LAVA_SIGNAL_TESTSET STOP>\n');
    await record('pong');
    await set('start', 'a', 'more words');
    await record('in-a');
    await set('stop', '');
    await record('out');
    expect(server.of('result').map((request) => request.words.slice(2))).toEqual([
      ['set=net work'],
      [],
      ['set=a'],
      [],
    ]);
  });

  it('have sets that start with a name', async ({ board, expect }) => {
    for (const words of [[], ['start'], ['start', ''], ['go']])
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

  it('refer to an address with lava-test-reference', async ({ board, server, expect }) => {
    const words = ['--result', 'fail', '--reference', 'https://x.example/?a=b c'];
    expect(await board.run('lava-test-reference', 'boot', ...words)).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(server.of('result')[0]!.words).toEqual([
      'case=boot',
      'result=fail',
      'note=https://x.example/?a=b c',
    ]);
    for (const bad of [
      [],
      [''],
      ['x'],
      ['x', '--result', 'pass'],
      ['x', '--reference', 'u'],
      ['x', 'y'],
    ])
      expect((await board.run('lava-test-reference', ...bad)).status).toBe(1);
    // What has a name is not lost.
    expect(server.of('result').map(({ words }) => words.slice(0, 2))).toEqual([
      ['case=boot', 'result=fail'],
      ['case=x', 'result=unknown'],
      ['case=x', 'result=unknown'],
      ['case=x', 'result=unknown'],
    ]);
  });

  it("stand on the console of a board without a network, as upstream's do", async ({
    board,
    server,
    expect,
  }) => {
    delete board.env.MUSTER_URL;
    const printed = async (verb: string, ...words: string[]) => {
      const { status, stdout } = await board.run(verb, ...words);
      return [status, stdout];
    };
    expect(await printed('lava-test-case', 'a', '--result', 'pass')).toEqual([
      0,
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=a RESULT=pass>\n',
    ]);
    const measured = ['b', '--result', 'skip', '--measurement', '1.5', '--units', 's'];
    expect(await printed('lava-test-case', ...measured)).toEqual([
      0,
      '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=b RESULT=skip UNITS=s MEASUREMENT=1.5>\n',
    ]);
    expect(await printed('lava-test-case', 'c', '--shell', 'exit 3')).toEqual([
      0,
      '<LAVA_SIGNAL_STARTTC c>\n<LAVA_SIGNAL_ENDTC c>\nmuster: case c: status 3\n' +
        '<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=c RESULT=fail>\n',
    ]);
    expect(
      await printed('lava-test-reference', 'd', '--result', 'pass', '--reference', 'u'),
    ).toEqual([0, '<LAVA_SIGNAL_TESTREFERENCE d pass u>\n']);
    expect(await printed('lava-test-raise', 'no', 'disk')).toEqual([
      1,
      '<LAVA_SIGNAL_TESTRAISE no disk>\n',
    ]);
    expect(await printed('lava-test-event', 'half way')).toEqual([
      0,
      '<LAVA_SIGNAL_TESTEVENT half way>\n',
    ]);
    expect(server.requests).toEqual([]);
  });

  it('end with lava-test-raise and its message, one word on the wire', async ({
    board,
    server,
    expect,
  }) => {
    expect(await board.run('lava-test-raise', 'no disk')).toMatchObject({ status: 1, stderr: '' });
    await board.run('lava-test-raise', 'no', 'disk', 'at all');
    expect(server.of('raise').map((request) => request.words)).toEqual([
      ['no disk'],
      ['no disk at all'],
    ]);
  });
});
