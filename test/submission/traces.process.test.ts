/** What of a console `set -x` printed, and what only begins with a plus. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tracesOf } from '../../submission/traces.ts';

const shown = (text: string) => tracesOf(text.split('\n')).filter((one) => one !== undefined);

/** What a script prints, its traces with it. */
function printed(shell: string, script: string, files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'muster-traces-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries({ ...files, 'x.sh': script }))
    writeFileSync(join(folder, name), text);
  const [program = 'sh', ...options] = shell.split(' ');
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const run = ['-c', '"$@" 2>&1 || :', 'sh', program, ...options, '-x', 'x.sh'];
  return execFileSync('sh', run, { cwd: folder, encoding: 'utf8', env });
}

describe.each(['bash', 'dash', 'busybox sh'])('the traces of %s', (shell) => {
  it('are read, the innermost with them', () => {
    const text = printed(shell, 'x=$(echo "$(basename /a/b)")\n. ./y.sh\n', {
      'y.sh': 'test -n "$x" && expr 1 + 1\n',
    });
    const commands = shown(text);
    expect(commands[0]).toBe('basename /a/b');
    expect(commands).toContain('x=b');
    expect(commands.at(-1)?.replaceAll("'", '')).toBe('expr 1 + 1');
  });

  it('are told from the diff that a command printed last', () => {
    const files = { a: 'one\ntwo\nthree\n\nfive\n', b: 'one\n+ exit 1\n  three\n\nfive\n+ four' };
    for (const form of ['-u', '-c', '-U0', '-C1', ''])
      expect(shown(printed(shell, `diff ${form} a b\n`, files)), form).toEqual([
        `diff ${form} a b`.replace('  ', ' '),
      ]);
  });

  it('are told behind a diff, too', () => {
    const files = { a: 'one\n', b: 'two\n' };
    const text = printed(shell, 'diff -u a b || true\nfalse\n', files);
    expect(shown(text)).toEqual(['diff -u a b', 'true', 'false']);
  });
});

it('what git prints of a change, of a merge and of a renamed file is no trace', () => {
  const change = ['diff --git a/x b/x', '--- a/x', '+++ b/x', '@@ -1 +1,2 @@ int main()', ' a'];
  expect(shown([...change, '+ rm -rf /', '+ echo behind it'].join('\n'))).toEqual([
    'echo behind it',
  ]);
  const merge = ['--- a/x', '+++ b/x', '@@@ -1,1 -1,1 +1,2 @@@', '++ exit 1', ' + b', '+ true'];
  expect(shown(merge.join('\n'))).toEqual(['true']);
  for (const line of ['+++ b/lib/x.sh', '+++ /dev/null', '+++ x.sh\t2026-11-29 14:00:00'])
    expect(shown(line)).toEqual([]);
});

it('a diff that was cut off ends where something else is printed', () => {
  const cut = ['--- a', '+++ b', '@@ -1,9 +1,9 @@', '+ one', 'muster: exit: status 1', '+ two'];
  expect(shown(cut.join('\n'))).toEqual(['two']);
});

it('C++, lists of numbers and packages that were installed are no traces', () => {
  for (const line of [
    '++ i;',
    '++ *next;',
    '+ 5 more',
    '+ express@4.17.1',
    '+++++++++ 4',
    '+# a comment',
    '+  indented',
    '+added',
    '+--------+',
  ])
    expect([line, shown(line)]).toEqual([line, []]);
});

it('a shell that says where it is, and a console that says when, show their commands too', () => {
  for (const [line, command] of [
    ['+(x.sh:12): make all', '(x.sh:12): make all'],
    ['++ x=$(a)', 'x=$(a)'],
    ["++ find . -exec rm '{}' ';'", "find . -exec rm '{}' ';'"],
    ['+ find . -exec rm {} ;', 'find . -exec rm {} ;'],
    ["++ awk 'BEGIN {", "awk 'BEGIN {"],
    ['[    1.234567] + lava-sync ready', 'lava-sync ready'],
    ['2026-11-29T14:00:00Z + lava-sync ready', 'lava-sync ready'],
  ] as const)
    expect(shown(line)).toEqual([command]);
});
