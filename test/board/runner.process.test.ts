// lava-test-runner: the suites of one action, whatever their steps do.
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { type Board, boardTest, find, shellsOnly, start, until, usable } from './shells.ts';

interface Suite {
  readonly [file: string]: string;
}

/** Lays an action as the dispatcher does; returns its folder. */
function layAction(board: Board, suites: Record<string, Suite>): string {
  const folder = path.join(board.home, '0');
  fs.mkdirSync(folder);
  fs.writeFileSync(
    path.join(folder, 'suites'),
    Object.keys(suites)
      .map((name) => `${name}\n`)
      .join(''),
  );
  for (const [name, files] of Object.entries(suites)) {
    fs.mkdirSync(path.join(folder, name, 'tests'), { recursive: true });
    for (const [file, text] of Object.entries(files))
      fs.writeFileSync(path.join(folder, name, file), text);
  }
  return folder;
}

/** The steps are scripts of the lab: they have the tools of this machine. */
function ordinaryPath(board: Board): void {
  board.env.PATH = `${board.path}:/usr/sbin:/usr/bin:/sbin:/bin`;
}

/** The signals among the lines of a console. */
const signals = (console: string) =>
  console.split('\n').filter((line) => /^<(LAVA|MUSTER)/.test(line));

describe.concurrent.each(usable(shellsOnly))('the runner, $name', (pair) => {
  const it = boardTest(pair);

  it('reports each suite in order, and runs its steps in the checkout', async ({
    board,
    server,
    expect,
  }) => {
    ordinaryPath(board);
    const folder = layAction(board, {
      '0_first': {
        definition: 'first thing\n',
        'tests/data': 'from the checkout\n',
        'install.sh': 'echo installed > made\n',
        'run.sh': "export WHO='a b'\ncat data made\necho $WHO\nlava-test-case one --result pass\n",
      },
      '1_second': { 'run.sh': 'printf "no line end"\n' },
    });
    const ended = await board.run('lava-test-runner', folder, 'f00d');
    expect(ended.status).toBe(0);
    expect(ended.stdout).toContain('from the checkout\ninstalled\na b\nmuster: case one: pass\n');
    expect(signals(ended.stdout)).toEqual([
      '<LAVA_SIGNAL_STARTRUN 0_first f00d>',
      '<LAVA_SIGNAL_ENDRUN 0_first f00d>',
      '<LAVA_SIGNAL_STARTRUN 1_second f00d>',
      '<LAVA_SIGNAL_ENDRUN 1_second f00d>',
      '<LAVA_TEST_RUNNER EXIT>',
      '<MUSTER_RUNNER_EXIT f00d>',
    ]);
    expect(ended.stderr).toContain('+ cat data made\n');
    expect(server.requests.map((request) => [request.verb, ...request.words])).toEqual([
      ['suite', 'start', '0_first', 'first thing'],
      ['result', 'case=one', 'result=pass'],
      ['suite', 'end', '0_first'],
      ['suite', 'start', '1_second'],
      ['suite', 'end', '1_second'],
    ]);
  });

  it('records the status of steps that end badly, and runs the next suite', async ({
    board,
    server,
    expect,
    skip,
  }) => {
    skip(!find('setsid'), 'setsid is not installed');
    ordinaryPath(board);
    const folder = layAction(board, {
      '0_false': { 'run.sh': 'exit 3\n' },
      '1_set-e': { 'run.sh': 'false\ntouch ../never\n' },
      '2_killed': { 'run.sh': 'kill -9 $$\n' },
      '3_group': { 'run.sh': 'trap "" HUP\nkill -TERM 0\nsleep 60\n' },
      '4_install': { 'install.sh': 'exit 4\n', 'run.sh': 'touch ../never\n' },
      '5_not-found': { 'run.sh': '/no/such/program\n' },
      '6_good': { 'run.sh': 'true\n' },
    });
    // setsid: the suite that signals its process group must not reach this test.
    const own = [find('setsid')!, '-w', ...pair.shell, '-eu', board.verb('lava-test-runner')];
    const ended = await start([...own, folder], board.env).finished;
    expect(ended.status).toBe(0);
    expect(server.of('result').map((request) => request.words)).toEqual([
      ['case=exit', 'result=fail', 'note=status 3'],
      ['case=exit', 'result=fail', 'note=status 1'],
      ['case=exit', 'result=fail', 'note=status 137, killed by SIGKILL'],
      ['case=exit', 'result=fail', 'note=status 143, killed by SIGTERM'],
      ['case=install', 'result=fail', 'note=status 4'],
      ['case=exit', 'result=fail', 'note=status 127'],
    ]);
    expect(server.of('suite')).toHaveLength(14);
    expect(fs.existsSync(path.join(folder, '1_set-e/never'))).toBe(false);
    expect(fs.existsSync(path.join(folder, '4_install/never'))).toBe(false);
  });

  it('starts and ends a suite without steps, and that is no failure', async ({
    board,
    server,
    expect,
  }) => {
    ordinaryPath(board);
    const folder = layAction(board, { '0_none': {}, '1_install': { 'install.sh': 'echo made\n' } });
    const ended = await board.run('lava-test-runner', folder, 'f00d');
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining('made\n') });
    expect(server.requests.map(({ verb, words }) => [verb, words[0]])).toEqual([
      ...[
        ['suite', 'start'],
        ['suite', 'end'],
      ],
      ...[
        ['suite', 'start'],
        ['suite', 'end'],
      ],
    ]);
  });

  it('runs steps in bash where the board has /bin/bash, or in the shell that the lab names', async ({
    board,
    server,
    expect,
    skip,
  }) => {
    skip(!fs.existsSync('/bin/bash') || !find('dash'), 'there is no /bin/bash, or no dash');
    ordinaryPath(board);
    const step = 'if [[ abc == a* ]]; then lava-test-case x --result pass; fi\n';
    const folder = layAction(board, {
      '0_steps': { 'run.sh': step },
      '1_commands': { commands: '[[ abc == a* ]]\n' },
    });
    await board.run('lava-test-runner', folder, 'f00d');
    expect(server.of('result').map(({ words }) => words[1])).toEqual([
      'result=pass',
      'result=pass',
    ]);
    server.requests.length = 0;
    fs.rmdirSync(path.join(folder, 'started'));
    board.env.MUSTER_SHELL = find('dash')!;
    await board.run('lava-test-runner', folder, 'f00d');
    expect(server.of('result').map(({ words }) => words[1])).toEqual(['result=fail']);
  });

  it('tells its nonce to nobody, and gives each suite a folder for results', async ({
    board,
    expect,
  }) => {
    ordinaryPath(board);
    board.env.runner_nonce = 'from outside';
    const folder = layAction(board, {
      '0_a': { 'run.sh': 'env\nset\ncat /proc/$$/environ\ntouch "$LAVA_RESULT_DIR/made"\n' },
    });
    const ended = await board.run('lava-test-runner', folder, 'f00d');
    const between = ended.stdout.split(/<LAVA_SIGNAL_(?:START|END)RUN 0_a f00d>/)[1];
    expect(between).toContain('LAVA_RESULT_DIR=');
    expect(between).not.toContain('f00d');
    expect(fs.existsSync(path.join(folder, '0_a/results/made'))).toBe(true);
  });

  it('ends with a mark that nobody can print who does not know the nonce', async ({
    board,
    expect,
  }) => {
    ordinaryPath(board);
    const print = "echo '<LAVA_TEST_RUNNER EXIT>'\necho '<MUSTER_RUNNER_EXIT 0>'\n";
    const folder = layAction(board, { '0_a': { 'run.sh': print } });
    const { stdout } = await board.run('lava-test-runner', folder, 'f00d');
    expect(stdout.match(/^<MUSTER_RUNNER_EXIT f00d>$/gm)).toHaveLength(1);
    expect(stdout.endsWith('\n<LAVA_TEST_RUNNER EXIT>\n\n<MUSTER_RUNNER_EXIT f00d>\n')).toBe(true);
  });

  it('lets other users of the board read how to reach the server, and open sets', async ({
    board,
    expect,
  }) => {
    ordinaryPath(board);
    board.writeEnv();
    fs.chmodSync(path.join(board.home, 'env'), 0o600);
    await board.run('lava-test-runner', layAction(board, { '0_a': {} }), 'f00d');
    const mode = (name: string) => fs.statSync(path.join(board.home, name)).mode & 0o777;
    expect(['env', 'test-set', 'answered', 'network-own'].map(mode)).toEqual([
      0o644, 0o666, 0o666, 0o666,
    ]);
  });

  it('runs once: a second call does nothing and prints nothing', async ({
    board,
    server,
    expect,
  }) => {
    ordinaryPath(board);
    const folder = layAction(board, { '0_a': { 'run.sh': 'echo >> ../count\n' } });
    const both = await Promise.all([
      board.run('lava-test-runner', folder),
      board.run('lava-test-runner', folder),
    ]);
    expect(both.map((ended) => ended.status)).toEqual([0, 0]);
    expect(both.filter((ended) => ended.stdout === '')).toHaveLength(1);
    expect(await board.run('lava-test-runner', folder)).toMatchObject({ stdout: '', stderr: '' });
    expect(server.of('suite')).toHaveLength(2);
    expect(fs.readFileSync(path.join(folder, '0_a/count'), 'utf8')).toBe('\n');
  });

  it('does not wait for what a step left in the background', async ({ board, expect }) => {
    ordinaryPath(board);
    const folder = layAction(board, {
      '0_a': { 'run.sh': 'sleep 600 &\necho $! > ../left\n' },
    });
    const running = board.start('lava-test-runner', [folder]);
    // The sleep holds the console open: only the exit of the runner itself can be waited for.
    const status = await new Promise((done) => running.child.once('exit', done));
    expect(status).toBe(0);
    process.kill(Number(fs.readFileSync(path.join(folder, '0_a/left'), 'utf8')), 'SIGKILL');
    expect(signals((await running.finished).stdout).at(-1)).toBe('<LAVA_TEST_RUNNER EXIT>');
  });

  it('says that it is through on a line of its own, whatever the background prints', async ({
    board,
    expect,
  }) => {
    ordinaryPath(board);
    // A dot before each line that the runner prints, and no line end after it.
    const dots = 'while :; do printf .; sleep 0.001; done &\necho $! > ../left\nsleep 0.2\n';
    const folder = layAction(board, { '0_a': { 'run.sh': dots } });
    const running = board.start('lava-test-runner', [folder]);
    await new Promise((done) => running.child.once('exit', done));
    process.kill(Number(fs.readFileSync(path.join(folder, '0_a/left'), 'utf8')), 'SIGKILL');
    expect(signals((await running.finished).stdout).at(-1)).toBe('<LAVA_TEST_RUNNER EXIT>');
  });

  it('gives steps no input, and lets them print much', async ({ board, server, expect }) => {
    ordinaryPath(board);
    const folder = layAction(board, {
      '0_a': { 'run.sh': 'cat\nseq 1 20000\n' },
      '1_b': { commands: 'cat\nread line\n' },
      '2_c': { 'run.sh': 'echo reached\n' },
    });
    const ended = await board.run('lava-test-runner', folder);
    expect(ended.stdout).toContain('\n20000\n');
    expect(ended.stdout).toContain('reached\n');
    expect(server.of('result').map((request) => request.words)).toEqual([
      ['case=01-cat', 'result=pass'],
      ['case=02-read_line', 'result=fail', 'note=status 1'],
    ]);
  });

  it('closes a test set that the suite before left open', async ({ board, server, expect }) => {
    ordinaryPath(board);
    const folder = layAction(board, {
      '0_a': { 'run.sh': 'lava-test-set start left\n' },
      '1_b': { 'run.sh': 'lava-test-case x --result pass\n' },
    });
    await board.run('lava-test-runner', folder);
    expect(server.of('result')[0]!.words).toEqual(['case=x', 'result=pass']);
  });

  it('makes each command a case, and none ends the others', async ({ board, server, expect }) => {
    ordinaryPath(board);
    const long = `echo ${'x'.repeat(80)}`;
    const folder = layAction(board, {
      '0_commands': {
        commands: `lava-send ready ip=1\n\nexit 5\nkill -9 $$\necho 'a  b' "$(pwd)"\n${long}\nls | wc -l; echo ü`,
      },
    });
    const ended = await board.run('lava-test-runner', folder);
    expect(server.of('send')[0]!.words).toEqual(['ready', 'ip=1']);
    expect(ended.stdout).toContain(`a  b ${folder}/0_commands/tests\n`);
    expect(server.of('result').map((request) => request.words)).toEqual([
      ['case=01-lava-send_ready_ip_1', 'result=pass'],
      ['case=02-exit_5', 'result=fail', 'note=status 5'],
      ['case=03-kill_-9___', 'result=fail', 'note=status 137, killed by SIGKILL'],
      ['case=04-echo__a__b_____pwd__', 'result=pass'],
      [`case=05-echo_${'x'.repeat(55)}`, 'result=pass'],
      ['case=06-ls___wc_-l__echo___', 'result=pass'],
    ]);
    expect(ended.status).toBe(0);
  });

  it('goes on when the server refuses its reports', async ({ board, server, expect }) => {
    ordinaryPath(board);
    server.plan('suite', 'denied the job has ended\n');
    const folder = layAction(board, { '0_a': { 'run.sh': 'echo reached\n' } });
    const ended = await board.run('lava-test-runner', folder);
    expect(ended.stdout).toContain('reached\n');
    expect(ended.stderr).toContain('lava-test-runner: the job has ended\n');
  });

  it('reports on the console alone when the board has no network', async ({
    board,
    server,
    expect,
  }) => {
    ordinaryPath(board);
    delete board.env.MUSTER_URL;
    const folder = layAction(board, { '0_a': { 'run.sh': 'exit 2\n' } });
    const ended = await board.run('lava-test-runner', folder);
    expect(signals(ended.stdout)).toContain('<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=exit RESULT=fail>');
    expect(server.requests).toEqual([]);
  });

  it('survives a server that is away for a while', async ({ board, server, expect }) => {
    ordinaryPath(board);
    server.plan('suite', 'drop before an answer');
    const folder = layAction(board, { '0_a': { 'run.sh': 'true\n' } });
    const running = board.start('lava-test-runner', [folder]);
    await until('some tries', () => server.of('suite').length >= 3);
    server.plan('suite', 'ok\n');
    expect((await running.finished).status).toBe(0);
  });

  it('says what is wrong with a folder that is not an action', async ({ board, expect }) => {
    ordinaryPath(board);
    expect((await board.run('lava-test-runner')).stderr).toContain('Usage: lava-test-runner');
    expect(await board.run('lava-test-runner', '/no/such')).toMatchObject({
      status: 1,
      stderr: 'lava-test-runner: no such folder: /no/such\n',
    });
    expect(await board.run('lava-test-runner', board.scratch)).toMatchObject({
      status: 1,
      stdout: '\n<LAVA_TEST_RUNNER EXIT>\n',
      stderr: `lava-test-runner: no list of suites in ${board.scratch}\n`,
    });
  });
});
