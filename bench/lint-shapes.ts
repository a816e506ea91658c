/** Definitions of about so many lines in the shapes that test authors write: what lint takes for them, and what of it grows. */
import type { DefinitionToLint } from '../submission/lint/lint-definition.ts';

export interface Shape {
  readonly name: string;
  /** All of them are clean. */
  definition(lines: number): DefinitionToLint;
}

const PAIR = [
  { role: 'server', count: 1 },
  { role: 'client', count: 2 },
];
/** 128 members. */
const CROWD = Array.from({ length: 10 }, (_, at) => ({ role: `r${at}`, count: at < 8 ? 13 : 12 }));

function definition(
  steps: readonly string[],
  files: ReadonlyMap<string, string>,
  roles: DefinitionToLint['roles'] = PAIR,
): DefinitionToLint {
  return {
    file: 'big.yaml',
    text: `run:\n  steps:\n${steps.map((step) => `    - '${step.replaceAll("'", "''")}'\n`).join('')}`,
    readFile: (path) => files.get(path),
    files: [...files.keys()],
    countsSelf: false,
    ...(roles !== undefined && { roles }),
  };
}

/** As many times as there is room for, each time with another number. */
function repeated(lines: number, ...made: ((n: number) => string)[]): string[] {
  return Array.from({ length: Math.ceil(lines / made.length) }, (_, n) =>
    made.map((line) => line(n)),
  ).flat();
}

const steps: Shape = {
  name: 'steps one below the other',
  definition: (lines) =>
    definition(
      repeated(
        lines,
        (n) => `lava-test-case case-${n} --shell ./check-${n % 7}.sh`,
        (n) =>
          `if [ "$(lava-role)" = server ]; then lava-send m${n} v=${n}; else lava-wait m${n}; fi`,
        () =>
          'if [ "$(lava-role)" = client ]; then value=$(grep v= /tmp/lava_multi_node_cache.txt | cut -d= -f2); fi',
        (n) => `lava-sync round-${n}`,
      ),
      new Map(
        Array.from({ length: 7 }, (_, n) => [
          `check-${n}.sh`,
          '#!/bin/sh\nset -e\nfor i in 1 2 3; do test -e /sys/$i || echo no; done\n',
        ]),
      ),
    ),
};

const script: Shape = {
  name: 'one script of functions and loops',
  definition: (lines) => {
    const body = repeated(
      lines,
      (n) => `phase_${n}() {`,
      () => '  local count=0 name=$1',
      () => '  while [ "$count" -lt 3 ]; do',
      (n) => `    report "phase ${n}" "$name-$count"`,
      () => '    count=$((count + 1))',
      () => '  done',
      () => '  case "$ROLE" in',
      (n) => `  server) lava-send "up-${n}" count="$count" ;;`,
      (n) => `  client) lava-wait "up-${n}" ;;`,
      () => '  esac',
      (n) => `  lava-sync "phase-${n}"`,
      () => '}',
      (n) => `phase_${n} first`,
    );
    const head = ['#!/bin/bash', 'set -e', 'ROLE=$(lava-role)', 'report() { echo "$1: $2"; }'];
    return definition(['./big.sh'], new Map([['big.sh', [...head, ...body, ''].join('\n')]]));
  },
};

const crowd: Shape = {
  name: '128 members in 10 roles',
  definition: (lines) =>
    definition(
      repeated(
        lines / 50,
        (n) => `lava-send at-${n} who=$(lava-self)`,
        (n) => `lava-wait-all at-${n} r${n % 10}`,
        (n) => `case $(lava-role) in r${n % 10}) echo "mine" ;; *) echo "not mine" ;; esac`,
        (n) => `lava-sync round-${n}`,
      ),
      new Map(),
      CROWD,
    ),
};

const sourced: Shape = {
  name: 'many sourced files',
  definition: (lines) => {
    const part = (n: number) => [
      `[ -n "$HAVE_${n}" ] && return 0`,
      `HAVE_${n}=1`,
      `NAME_${n}=part-${n}`,
      `do_${n}() {`,
      `  echo "$NAME_${n} $1"`,
      `  lava-sync "$NAME_${n}-$1"`,
      '}',
    ];
    const main = (n: number) => [`. ./lib/part-${n}.sh`, `do_${n} here`];
    const numbers = Array.from({ length: Math.ceil(lines / 9) }, (_, n) => n);
    const files = new Map<string, string>();
    for (const n of numbers) files.set(`lib/part-${n}.sh`, `${part(n).join('\n')}\n`);
    files.set('main.sh', `#!/bin/sh\n${numbers.flatMap(main).join('\n')}\n`);
    return definition(['./main.sh'], files);
  },
};

const DEPTH = 20;
const nested: Shape = {
  name: 'ifs in ifs',
  definition: (lines) => {
    const body = repeated(lines / (2 * DEPTH + 3), (n) => {
      const open = Array.from(
        { length: DEPTH },
        (_, at) => `${' '.repeat(at)}if [ -e /sys/class/x${n}/y${at} ]; then v${at}=${n}`,
      );
      const close = Array.from({ length: DEPTH }, () => `else echo no; fi`);
      return [...open, `echo "$v0 $v${DEPTH - 1}"`, ...close, `lava-sync deep-${n}`].join('\n');
    });
    return definition(['./deep.sh'], new Map([['deep.sh', `#!/bin/sh\n${body.join('\n')}\n`]]));
  },
};

const variables: Shape = {
  name: 'a variable each line',
  definition: (lines) => {
    const body = repeated(
      lines,
      (n) => `name_${n}=$(echo "board-${n}" | tr a-z A-Z)`,
      (n) => `if [ -e /etc/flag-${n} ]; then flag_${n}=yes; else flag_${n}=no; fi`,
      (n) => `for i in 1 2; do sum_${n}=$((i + ${n})); done`,
      (n) => `[ "$sum_${n}" -gt 0 ] && lava-sync "sum-${n}"`,
    );
    return definition(['./vars.sh'], new Map([['vars.sh', `#!/bin/sh\n${body.join('\n')}\n`]]));
  },
};

export const SHAPES: readonly Shape[] = [steps, script, crowd, sourced, nested, variables];
