// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are scripts of a shell
/** Choreographies that nobody thought of, and shell scripts that are made of them in many disguises. */
import fc from 'fast-check';
import { GroupMachine } from '../../../submission/lint/group-machine.ts';

type Call = { verb: 'send' | 'wait' | 'wait-all' | 'sync'; words: string[] };
export interface Group {
  countsSelf: boolean;
  roles: { role: string; count: number }[];
  calls: Call[][];
}

const ROLES = ['server', 'client', 'probe'];
const id = fc.constantFrom('up', 'go', 'done');
const call = (roles: string[]): fc.Arbitrary<Call> =>
  fc.oneof(
    { weight: 4, arbitrary: id.map((word): Call => ({ verb: 'send', words: [word] })) },
    { weight: 2, arbitrary: id.map((word): Call => ({ verb: 'wait', words: [word] })) },
    { weight: 1, arbitrary: id.map((word): Call => ({ verb: 'wait-all', words: [word] })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(id, fc.constantFrom(...roles))
        .map(([word, role]): Call => ({ verb: 'wait-all', words: [word, role] })),
    },
    { weight: 2, arbitrary: id.map((word): Call => ({ verb: 'sync', words: [word] })) },
  );

export const group: fc.Arbitrary<Group> = fc
  .record({
    countsSelf: fc.boolean(),
    counts: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 3 }),
  })
  .chain(({ countsSelf, counts }) => {
    const roles = counts.map((count, index) => ({ role: ROLES[index]!, count }));
    const names = roles.map(({ role }) => role);
    // A common course that is often right, and lines of their own between.
    const common = fc.array(
      id.map((word): Call => ({ verb: 'sync', words: [word] })),
      { maxLength: 2 },
    );
    return common.chain((shared) =>
      fc
        .array(fc.tuple(fc.array(call(names), { maxLength: 3 }), fc.boolean()), {
          minLength: roles.length,
          maxLength: roles.length,
        })
        .map((own) => ({
          countsSelf,
          roles,
          calls: own.map(([calls, isFirst]) =>
            isFirst ? [...calls, ...shared] : [...shared, ...calls],
          ),
        })),
    );
  });

/** Whether every member comes through: each goes on for as long as it can. */
export function comesThrough({ countsSelf, roles, calls }: Group): boolean {
  const members = roles.flatMap(({ role, count }, index) =>
    Array.from({ length: count }, () => ({
      role,
      left: [...calls[index]!],
      wait: null as number | null,
    })),
  );
  const asked = roles.map((one) => ({ ...one, deviceType: 'x', tags: [] }));
  const machine = new GroupMachine(
    { countsSelf, roles: asked },
    members.map(({ role }) => role),
  );
  for (let isMoved = true; isMoved; ) {
    isMoved = false;
    for (const [place, member] of members.entries()) {
      const next = member.left[0];
      if (member.wait !== null || next === undefined) continue;
      member.left.shift();
      isMoved = true;
      const { blockedOn, released } = machine.call(place, next.verb, next.words);
      member.wait = blockedOn;
      for (const other of members)
        if (other.wait !== null && released.includes(other.wait)) other.wait = null;
    }
  }
  return members.every(({ wait, left }) => wait === null && left.length === 0);
}

/** Whether what several roles send, and not as their last word, is waited for by somebody. */
export function isHeard({ calls }: Group): boolean {
  const all = calls.flat();
  return calls.every((own) =>
    own.every(({ verb, words: [word = ''] }) => {
      if (verb !== 'send') return true;
      const senders = calls.filter((of) =>
        of.some((c) => c.verb === 'send' && c.words[0] === word),
      );
      const isWaited = all.some((c) => c.verb !== 'send' && c.words[0] === word);
      // A line that is called again counts where it was first.
      const isLast = senders.some((of) => lastSite(of) === `send ${word}`);
      return senders.length < 2 || isWaited || isLast;
    }),
  );
}

function lastSite(calls: readonly Call[]): string {
  const { verb = '', words = [] } = calls.at(-1) ?? {};
  return `${verb} ${words.join(' ')}`;
}

// disguises

/** A number from 0 that decides how the next line is written. */
export type Dice = () => number;
export const dice = (seeds: readonly number[]): Dice => {
  let at = 0;
  return () => seeds[at++ % seeds.length] ?? 0;
};

function line({ verb, words }: Call, roll: Dice): string {
  const [word = '', ...rest] = words;
  const plain = `lava-${verb} ${[word, ...rest].join(' ')}`;
  const half = word.slice(0, 1);
  const forms = [
    plain,
    plain,
    `lava-${verb} "${word}" ${rest.map((one) => `'${one}'`).join(' ')}`,
    `x=${half}; lava-${verb} "${`\${x}`}${word.slice(1)}" ${rest.join(' ')}`,
    `sh -c '${plain}'`,
    `lava-test-case c --shell ${plain}`,
    `lava-test-case c --shell "${plain}"`,
    `if true; then ${plain}; fi`,
    `${plain} || exit 1`,
    `call ${verb} ${[word, ...rest].join(' ')}`,
    `for i in ${word}; do lava-${verb} $i ${rest.join(' ')}; done`,
    `set -- ${word}\nlava-${verb} "$1" ${rest.join(' ')}`,
    `[ -z "" ] && ${plain}`,
    `lava-${verb} $(echo ${word}) ${rest.join(' ')}`,
    `eval "${plain}"`,
    `( ${plain} )`,
    `n=0; while [ $n -lt 1 ]; do ${plain}; n=$((n + 1)); done`,
    `case ${word} in ${half}*) ${plain} ;; esac`,
    `ID=${word} sh -c 'lava-${verb} $ID ${rest.join(' ')}'`,
    `{ ${plain}; } 2>/dev/null`,
  ];
  return forms[roll() % forms.length] ?? plain;
}

export function written(
  { roles, calls }: Group,
  roll: Dice,
): { script: string; files: Record<string, string> } {
  const bodies = roles.map(
    (_, index) => calls[index]!.map((one) => line(one, roll)).join('\n') || ':',
  );
  const helper = 'call() {\n  verb=$1; shift\n  "lava-$verb" "$@"\n}\n';
  const indexed = roles.map(({ role }, index) => [role, bodies[index]!] as const);
  switch (roll() % 5) {
    case 0:
      return {
        script: `${helper}case $(lava-role) in\n${indexed.map(([role, body]) => `${role})\n${body}\n;;\n`).join('')}esac\n`,
        files: {},
      };
    case 1:
      return {
        script: `${helper}role=$(lava-role)\n${indexed.map(([role, body]) => `if [ "$role" = ${role} ]; then\n${body}\nfi\n`).join('')}`,
        files: {},
      };
    case 2:
      return {
        script: './run-$(lava-role).sh\n',
        files: {
          'lib.sh': helper,
          ...Object.fromEntries(
            indexed.map(([role, body]) => [
              `run-${role}.sh`,
              `#!/bin/sh -e\n. ./lib.sh\n${body}\n`,
            ]),
          ),
        },
      };
    case 3:
      return {
        script: `. ./lib.sh\n${indexed.map(([role, body]) => `as_${role}() {\n${body}\n}\n`).join('')}"as_$(lava-role)"\n`,
        files: { 'lib.sh': helper },
      };
    default:
      return {
        script: `${helper}${indexed.map(([role, body]) => `if [[ $(lava-role) == ${role} ]]; then\n${body}\nfi\n`).join('')}`,
        files: {},
      };
  }
}
