// Who called a verb, as its board tells the server: under both shells, with every client.
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { readCallers } from '../../api/callers.ts';
import { boardTest, find, pairs, start, usable } from './shells.ts';

describe.concurrent.each(usable(pairs))('who called a verb, $name', (pair) => {
  const it = boardTest(pair);
  const verb = (file: string) => [...pair.shell, file].join(' ');

  it('is each program on the way up to the runner, the nearest first', async ({
    board,
    server,
    expect,
  }) => {
    const outer = path.join(board.folder, 'lava-test-runner');
    const inner = path.join(board.folder, 'in ner.sh');
    fs.writeFileSync(outer, `sh '${inner}' 'a b;c&d+e%' '' é\n:\n`);
    fs.writeFileSync(inner, `:\n${verb(board.verb('lava-send'))} x\n:\n`);
    const ran = start(['/bin/sh', outer], { ...board.env, PATH: board.path });
    expect(await ran.finished).toMatchObject({ status: 0, stderr: '' });
    const [caller, ...more] = readCallers(server.of('send')[0]!.from) ?? [];
    expect(more).toEqual([]);
    expect(caller?.argv.slice(0, 3)).toEqual(['sh', inner, 'a b;c&d+e%']);
    expect(caller?.argv).toHaveLength(5);
  });

  it.skipIf(find('bash') === undefined)(
    'is told with how far its bash has read, where the board has one',
    async ({ board, server, expect }) => {
      const script = path.join(board.folder, 'steps.sh');
      const call = `${verb(board.verb('lava-send'))} x`;
      fs.writeFileSync(script, `for i in 1 2; do\n  :\ndone\n${call}\necho never read\n`);
      const ran = start([find('bash')!, script], { ...board.env, PATH: board.path });
      expect(await ran.finished).toMatchObject({ status: 0, stderr: '' });
      const [caller] = readCallers(server.of('send')[0]!.from) ?? [];
      const text = fs.readFileSync(script, 'utf8');
      if (pair.client === 'bash')
        expect(text.slice(0, caller?.read)).toBe(text.slice(0, text.indexOf('echo')));
      else expect(caller?.read).toBeUndefined();
    },
  );
});
