// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are scripts of a shell
/** What is read of a script is what real shells call, in the same order and with the same words. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Op } from '../../../submission/lint/call-graph.ts';
import { graphOf } from '../../../submission/lint/graph.ts';
import { patternText } from '../../../submission/lint/patterns.ts';
import { dice, group, written } from './choreographies.ts';

const VERB = `#!/bin/sh
{ printf '%s' "\${0##*/}"; for word do printf ' <%s>' "$word"; done; echo; } >> "$LOG"
`;
const TEST_CASE = `#!/bin/sh
shift; [ "$1" = --shell ] || exit 0
shift
if [ $# -eq 1 ]; then sh -c "$1"; else "$@"; fi
exit 0
`;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'muster-shells-'));
  mkdirSync(join(dir, 'bin'));
  const program = (name: string, text: string) => {
    writeFileSync(join(dir, 'bin', name), text);
    chmodSync(join(dir, 'bin', name), 0o755);
  };
  for (const verb of ['send', 'wait', 'wait-all', 'sync']) program(`lava-${verb}`, VERB);
  program('lava-test-case', TEST_CASE);
  program('lava-role', '#!/bin/sh\necho "$ROLE"\n');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What a real shell calls. */
function called(
  shell: string,
  script: string,
  files: Record<string, string>,
  role: string,
): string[] {
  const place = mkdtempSync(join(dir, 'run-'));
  const log = join(place, '.log');
  writeFileSync(log, '');
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(place, name), text);
    chmodSync(join(place, name), 0o755);
  }
  writeFileSync(join(place, '.script'), script);
  const env = { PATH: `${join(dir, 'bin')}:${process.env.PATH}`, LOG: log, ROLE: role };
  spawnSync(shell, ['-e', '.script'], { cwd: place, env, stdio: 'ignore', timeout: 10_000 });
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** What was read, where nothing is left open. */
function read(script: string, files: Record<string, string>, role: string): string[] {
  const entry = { kind: 'script', file: 'run.sh', text: script, errexit: true } as const;
  const roles = [
    { role: 'server', count: 1 },
    { role: 'client', count: 1 },
    { role: 'probe', count: 1 },
  ];
  const { program } = graphOf((path) => files[path], entry, { role, roles, parameters: [] });
  const out: string[] = [];
  walk(program, out);
  return out;
}

/** The calls in order as if all went well; the block that is left, if one is. */
function walk(ops: readonly Op[], out: string[]): number | null {
  for (const op of ops) {
    if (op.op === 'call') {
      const words = op.call.words.map((word) => ` <${patternText(word)}>`);
      out.push(`lava-${op.call.verb}${words.join('')}`);
    } else if (op.op === 'leave') return op.block;
    else if ('body' in op) {
      const left = walk(op.body, out);
      if (left !== null && !(op.op === 'block' && op.block === left)) return left;
    } else if (op.op === 'choice') {
      const way = op.ways.find(({ isFailure }) => !isFailure) ?? op.ways[0];
      const left = walk(way?.body ?? [], out);
      if (left !== null) return left;
    }
  }
  return null;
}

const has = (shell: string) => spawnSync(shell, ['-c', ':']).status === 0;
const hasBash = has('bash');
/** What dash reads otherwise, or not at all: it is bash that lint follows there. */
const BASH_ALONE =
  /^(?:double brackets|braces|arrays|parts of arrays|places of arrays that are changed|arrays in one word|parts of an expression|lines of a process|digits of base ten|folders that are gone back to|a counting for|case of letters|sums|carriage returns|env)$/;

const scripts: [string, string, Record<string, string>?][] = [
  ['assignments alone on a line', 'A=1 B=2\nlava-send x a=$A b=$B'],
  [
    'a here-document with more behind it',
    'cat <<A >/dev/null; lava-sync k\nb $(lava-send in)\nA\nlava-sync m',
  ],
  [
    'a quoted here-document',
    "cat <<'A' >/dev/null\nlava-send no $(lava-send neither)\nA\nlava-send yes",
  ],
  ['a here-document whose indentation is cut', 'cat <<-A >/dev/null\n\tx\n\tA\nlava-send yes'],
  ['lines that go on', 'lava-send \\\n  a \\\n  k=v'],
  ['quotes in quotes', `lava-send "a'b" 'c"d'=e f\\ g=h "x=$(echo "y z")"`],
  ['words that are split', 'w="a b  c"; lava-send $w; lava-send "$w"'],
  ['no word at all', 'e=; lava-send x $e "$e"'],
  ['defaults', 'lava-send "${U:-d}" a="${U-e}" b="${U:=f}" c="$U" d="${U:+g}"'],
  ['cut ends', 'f=a/b.c.d; lava-send "${f##*/}" a="${f%.*}" b="${f%%.*}" c="${f#*/}" d="${#f}"'],
  ['sums', 'i=3; lava-send r$((i * 2 + 1)) a=$(( (i - 1) / 2 )) b=$((i++)) c=$i'],
  [
    'counting up',
    'i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i -eq 2 ] && continue; lava-sync r$i; done',
  ],
  [
    'counting down, and out',
    'for i in $(seq 5 -1 1); do [ "$i" = 3 ] && break; lava-send c$i; done',
  ],
  [
    'two loops left at once',
    'for i in 1 2; do for j in a b; do [ $i$j = 1b ] && break 2; lava-send $i$j; done; done',
  ],
  ['until', 'n=; until [ "$n" = xx ]; do n=x$n; lava-send n$n; done'],
  ['the end of a script in a function', 'f() { lava-send in; exit 0; }; f; lava-send never'],
  ['a return', 'f() { lava-send a; return 0; lava-send never; }; f; lava-send b'],
  [
    'arguments',
    'f() { for x; do lava-send "$x" n=$#; shift; done; }; f a "b c"; lava-send d "all=$*"',
  ],
  [
    'a function that is told by a variable',
    'a_server() { lava-send s; }; a_client() { lava-send c; }; a_$(lava-role) 2>/dev/null || true',
  ],
  [
    'cases that fall',
    'case server in cl*) lava-send a;; s[a-e]rver|x) lava-send b;; *) lava-send c;; esac',
  ],
  [
    'nested cases',
    'case $(lava-role) in server) case x in y) ;; x) lava-send sx;; esac;; *) lava-send o;; esac',
  ],
  ['not', 'if ! [ a = b ]; then lava-send a; fi; ! false && lava-send b'],
  ['and, or', 'false || lava-send a; true && lava-send b; false && lava-send c || lava-send d'],
  ['the end under set -e', 'lava-send a; [ a = b ]; lava-send never'],
  ['no end in a condition', 'f() { false; lava-send a; }; if f; then lava-send b; fi'],
  ['a list that ends a function', 'f() { [ a = b ] && lava-send x; }; f; lava-send never'],
  ['set +e', 'set +e; false; lava-send a; set -e; false; lava-send never'],
  ['a subshell that ends', '(lava-send a; exit 0; lava-send never); lava-send b'],
  ['variables of a subshell', 'x=1; (x=2; lava-send i$x); lava-send o$x'],
  ['reading lines', 'printf "a 1\\nb 2\\n" | while read n v; do lava-send $n v=$v; done'],
  ['reading a here-document', 'while read x; do lava-send $x; done <<A\na\nb\nA\nlava-send z'],
  [
    'pipes of small programs',
    'for r in $(printf "x:a\\ny:b\\nx:c\\n" | grep ^x | cut -d: -f2 | tail -n 1); do lava-send $r; done',
  ],
  ['awk', "lava-send $(printf 'a b\\nc d\\n' | awk '{print $2}' | head -1)"],
  ['a trap', "trap 'lava-send bye' EXIT; lava-send hi"],
  ['exec', '(exec lava-send a; lava-send never); lava-send b'],
  ['eval', 'c=\'lava-send a k=v\'; eval $c; eval "lava-send b"'],
  ['env', "env X=1 lava-send a; X=2 sh -c 'lava-send b v=$X'"],
  ['backquotes', 'lava-send `echo a` b=`echo \\`echo c\\``'],
  ['comments', 'lava-send a # lava-send no\n# lava-send no\nlava-send b#c'],
  ['semicolons and ends', 'if true; then lava-send a; fi; { lava-send b; }; lava-send c;'],
  [
    'a script with arguments',
    './s.sh one two',
    { 's.sh': '#!/bin/sh\nlava-send "$1" n=$# z="$2"\nexit 0\n' },
  ],
  [
    'a script that dies',
    './s.sh; lava-send never',
    { 's.sh': '#!/bin/sh\nset -e\nlava-send a\nfalse\nlava-send never\n' },
  ],
  [
    'a sourced file that returns',
    '. ./l; lava-send b$V',
    { l: 'V=1\nlava-send a\nreturn 0\nlava-send never\n' },
  ],
  ['cd', 'cd sub 2>/dev/null || true; lava-send a'],
  ['an unset variable', 'x=1; unset x; lava-send a${x}b'],
  ['local', 'x=o; f() { local x=i; lava-send $x; }; f; lava-send $x'],
  [
    'double brackets',
    '[[ server == s* ]] && lava-send a; [[ a != b && ( x == y || -n z ) ]] && lava-send b',
  ],
  ['braces', 'for i in {1..3} x{a,b}; do lava-send $i; done'],
  [
    'arrays',
    'a=(x "y z"); a+=(w); for i in "${a[@]}"; do lava-send "$i"; done; lava-send n${#a[@]} "${a[1]}"',
  ],
  [
    'parts of arrays',
    'a=(v w x y); set -- p q r; for i in "${a[@]:1:2}" "${a[@]: -1}" "${@:2}" "${a[-1]}" "${a[${#a[@]}-2]}"; do lava-send "$i"; done',
  ],
  [
    'places of arrays that are changed',
    'a=(k.sh long.sh); lava-send "${a[0]%.sh}" n=${#a[1]} b="${a[1]/long/l}"; for i in "${a[@]%.sh}" "${a[@]/#/x-}"; do lava-send "$i"; done',
  ],
  [
    'arrays in one word',
    'a=(x y); b="${a[*]}"; for i in $b; do lava-send $i; done; j() { local IFS=-; echo "$*"; }; lava-send "$(j p q)"',
  ],
  [
    'parts of an expression',
    '[[ node-12.b =~ ^node-([0-9]+)[.](.)$ ]] && lava-send "n${BASH_REMATCH[1]}" x="${BASH_REMATCH[2]}"; [[ a =~ ^b ]] || lava-send no',
  ],
  [
    'lines of a process',
    'while read -r x; do lava-send "$x"; done < <(printf "a\\nb\\n"); mapfile -t l < <(echo c); lava-send "${l[0]}"',
  ],
  ['digits of base ten', 'n=08; lava-send x$((10#$n + 1)) y=$((16#1f))'],
  [
    'folders that are gone back to',
    'mkdir -p d; pushd d >/dev/null; pushd .. >/dev/null; popd >/dev/null; popd >/dev/null; cd d; cd - >/dev/null; . ./l',
    { l: 'lava-send here\n' },
  ],
  [
    'numbers of one width',
    'for i in $(seq -w 8 10) $(seq -f p-%03g 2) $(seq -s + 3); do lava-send $i; done',
  ],
  ['a folder that is made', 'mkdir -p d; [ -d d ] && lava-send a; [ -d d ] || exit 1; lava-send b'],
  [
    'variables for one command',
    'env X=1 Y="a b" ./s.sh; X=2; ./s.sh',
    { 's.sh': '#!/bin/sh\nlava-send "x-$X" y="${Y:-none}"\n' },
  ],
  ['a counting for', 'for ((i=0; i<2; i++)); do lava-send i$i; done'],
  ['a test with many parts', '[ a = a -a ! b = c ] && lava-send a; [ "" -o x ] && lava-send b'],
  ['carriage returns', 'lava-send a\r\nlava-send b\r\n'],
  ['case of letters', 'x=AbC; lava-send ${x,,} u=${x^^} s=${x:1:1} r=${x/b/q}'],
];

describe.skipIf(!has('dash'))('what dash calls (skipped where there is no dash)', () => {
  test('is what was read of generated scripts, but for those with brackets of bash', () => {
    fc.assert(
      fc.property(group, fc.array(fc.nat(1_000), { minLength: 1, maxLength: 20 }), (of, seeds) => {
        const { script, files } = written(of, dice(seeds));
        fc.pre(!script.includes('[['));
        for (const { role } of of.roles)
          expect([read(script, files, role), script]).toEqual([
            called('dash', script, files, role),
            script,
          ]);
      }),
      { numRuns: Number(process.env.RUNS ?? 40) },
    );
  });

  test.each(scripts.filter(([name]) => !BASH_ALONE.test(name)))(
    'is what was read of %s',
    (_, script, files = {}) => {
      for (const role of ['server', 'client'])
        expect(read(script, files, role)).toEqual(called('dash', script, files, role));
    },
  );
});

describe.skipIf(!hasBash)('what a shell calls (skipped where there is no bash)', () => {
  test('is what was read of generated scripts', () => {
    fc.assert(
      fc.property(group, fc.array(fc.nat(1_000), { minLength: 1, maxLength: 20 }), (of, seeds) => {
        const { script, files } = written(of, dice(seeds));
        for (const { role } of of.roles) {
          const real = called('bash', script, files, role);
          expect([read(script, files, role), script]).toEqual([real, script]);
        }
      }),
      { numRuns: Number(process.env.RUNS ?? 40) },
    );
  });

  test.each(scripts)('is what was read of %s', (_, script, files = {}) => {
    for (const role of ['server', 'client'])
      expect(read(script, files, role)).toEqual(called('bash', script, files, role));
  });
});
