/** What lint says: a finding with its rule and its place. */
import type { Place } from './call-graph.ts';

/** `error`: the job cannot come to a good end; `warning`: it may not; `note`: it is not known, which is never "clean". */
export type Severity = 'error' | 'warning' | 'note';

export interface Finding extends Place {
  readonly rule: RuleId;
  readonly severity: Severity;
  readonly message: string;
  /** What its author may do about it. */
  readonly hint?: string;
  /** The role that runs the line. */
  readonly role?: string;
  readonly related: readonly (Place & { readonly message: string })[];
}

/** The same rule at the same place is said once. */
export const findingKey = ({ rule, file, line, column }: Finding): string =>
  `${rule} ${file}:${line}:${column}`;

export interface LintReport {
  readonly findings: readonly Finding[];
  /** Findings that a `# muster-lint: ignore` took away. */
  readonly ignored: number;
  readonly verdict: 'clean' | 'broken' | 'unknown';
  /** Definitions, scripts and the job itself, as far as they were read. */
  readonly files: readonly string[];
}

export interface Rule {
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** Why it matters, and when it is said. */
  readonly page: string;
  /** A definition that it speaks of, and the line it names. */
  readonly example: { readonly roles: string; readonly script: string; readonly line: number };
  readonly fix: string;
}

export type RuleId = (typeof rules)[number]['id'];

export const rules = [
  {
    id: 'wait-without-send',
    severity: 'error',
    title: 'A wait for a message that nobody sends',
    page: 'A `lava-wait` or `lava-wait-all` ends when the members that it counts have sent its id. Here one of them never does: no line that it can reach sends this id. In the JSON form a member does not count itself, so its own send does not help it either.',
    example: {
      roles: 'server, client',
      script:
        'if [ "$(lava-role)" = server ]; then\n  lava-wait client-done\nelse\n  lava-send client-finished\nfi',
      line: 2,
    },
    fix: 'Send the same id, or wait for the one that is sent; with a role behind `lava-wait-all` only its members are waited for.',
  },
  {
    id: 'cross-wait',
    severity: 'error',
    title: 'Members that wait for each other',
    page: 'Each of these members waits for a message that another of them sends only behind its own wait. None of them can go on.',
    example: {
      roles: 'server, client',
      script:
        'case $(lava-role) in\nserver)\n  lava-wait client-up\n  lava-send server-up ;;\nclient)\n  lava-wait server-up\n  lava-send client-up ;;\nesac',
      line: 3,
    },
    fix: 'Let one of them send before it waits.',
  },
  {
    id: 'sync-not-called-by-all',
    severity: 'error',
    title: 'A barrier that one role never reaches',
    page: '`lava-sync` is for the whole group: it ends when every member has called it with this id. A role that never does holds all the others.',
    example: {
      roles: 'server, client, monitor',
      script: 'case $(lava-role) in\nserver|client)\n  lava-sync ready ;;\nesac',
      line: 3,
    },
    fix: 'Call it in every role, or use `lava-send` and `lava-wait-all ID ROLE` where only some of them meet.',
  },
  {
    id: 'rounds-differ',
    severity: 'error',
    title: 'A barrier that is called more often by some than by others',
    page: 'The same id again is a new round, and a round needs every member. Here some members call it more often than another one.',
    example: {
      roles: 'server, client',
      script:
        'rounds=3\n[ "$(lava-role)" = server ] || rounds=2\nfor i in $(seq $rounds); do\n  lava-sync round\ndone',
      line: 4,
    },
    fix: 'Let all roles run the same number of rounds, or give each round an id of its own.',
  },
  {
    id: 'unknown-role',
    severity: 'error',
    title: 'A role that the job does not have',
    page: 'A wait for a role that the job does not define is refused at once: the verb exits 1, and under `set -e` its script ends there.',
    example: { roles: 'server, client', script: 'lava-send up\nlava-wait-all up clients', line: 2 },
    fix: 'Name a role of the job.',
  },
  {
    id: 'refused-call',
    severity: 'error',
    title: 'A call that is refused',
    page: 'An id without characters, with a blank or `=` in it, a word of `lava-send` that is not `key=value`, a key with other characters than letters, digits and `_.-`, or more words than the verb takes: the verb exits 1 and nothing is sent.',
    example: { roles: 'server, client', script: 'lava-send ready now\nlava-wait ready', line: 1 },
    fix: 'Quote what belongs together, and write pairs as `key=value`.',
  },
  {
    id: 'unsatisfiable-roles',
    severity: 'error',
    title: 'Roles that no set of boards can play',
    page: 'The lab has no boards, taken together, for all roles of the job, or the job names the same board twice: it is rejected.',
    example: { roles: 'server on panda01, client on panda01', script: 'lava-sync ready', line: 0 },
    fix: 'Ask for another type or fewer boards, or name each board once.',
  },
  {
    id: 'key-never-sent',
    severity: 'warning',
    title: 'A key that is read, and that no message has',
    page: 'A script takes a key from the cache file, but no message that its last wait can have received has such a key, or has a value for it: what it reads is empty. Behind `lava-wait-all` the lines are `name:key=value`, so that `^key=` fits none of them. Where the script ends there and others wait for what it would have sent, it is an error.',
    example: {
      roles: 'server, client',
      script:
        'if [ "$(lava-role)" = server ]; then\n  lava-send up ipaddr=10.0.0.1\nelse\n  lava-wait up\n  server=$(grep ipv4= /tmp/lava_multi_node_cache.txt | cut -d= -f2)\nfi',
      line: 5,
    },
    fix: 'Read the key under the name under which it is sent.',
  },
  {
    id: 'send-without-wait',
    severity: 'warning',
    title: 'Several roles send the same message, and nobody waits for it',
    page: 'A `lava-send` holds nobody. Where several roles send the same id and none of them waits for it, they run on without one another, as if nobody had called anything.',
    example: {
      roles: 'server, client',
      script:
        'if [ "$(lava-role)" = server ]; then\n  lava-send server-up\nelse\n  lava-send server-up\nfi\nlava-sync end',
      line: 4,
    },
    fix: 'Wait for it where it is needed, or meet at `lava-sync`.',
  },
  {
    id: 'timeout-too-short',
    severity: 'warning',
    title: 'A limit that is shorter than what a peer takes to boot',
    page: 'All boards of a group are deployed and booted at the same time. A board that is ready early waits for the others; where the limit of its action, or a `timeout` around its wait, is shorter than what its peers lately took longer than itself, it ends before they come.',
    example: { roles: 'server, client', script: 'timeout 5 lava-sync ready', line: 1 },
    fix: 'Give it as long as the slowest deploy and boot, and some more.',
  },
  {
    id: 'swallowed-failure',
    severity: 'warning',
    title: 'A wait whose failure is hidden',
    page: '`lava-test-case ID --shell CMD` records how the command ended and exits 0 whatever that was. A wait that fails inside of it, or before `|| true`, does not end the script: what stands below runs without its peers.',
    example: {
      roles: 'server, client',
      script: 'lava-test-case ready --shell lava-sync ready\nlava-sync done',
      line: 1,
    },
    fix: '`lava-test-case ID --strict --shell CMD` exits as the command did; or call the verb by itself, it records a case of its own.',
  },
  {
    id: 'dies-under-set-e',
    severity: 'error',
    title: 'A line that always ends its script',
    page: 'Steps run under `set -e`: a command that fails ends the steps of its definition. This one always fails for this role (such as `[ "$(lava-role)" = server ] && ...` as the last line of a function or of a script, which then ends with 1), and the group waits for what stands below.',
    example: {
      roles: 'server, client',
      script:
        'announce() {\n  [ "$(lava-role)" = server ] && lava-send up\n}\nannounce\nlava-sync ready',
      line: 4,
    },
    fix: 'Write `if ...; then ...; fi`, or put `|| true` behind it.',
  },
  {
    id: 'syntax',
    severity: 'warning',
    title: 'A script that cannot be read',
    page: 'The shell stops where it cannot read on; what stands below may never run. Nothing is said of what the lines that could not be read call.',
    example: {
      roles: 'server, client',
      script: 'for i in 1 2; then\n  lava-sync round\nfi',
      line: 1,
    },
    fix: 'Close what is open, and compare with `sh -n`.',
  },
  {
    id: 'ignore',
    severity: 'warning',
    title: 'A comment that ignores nothing',
    page: 'A `# muster-lint: ignore` with the name of no rule, or without a reason, takes no finding away.',
    example: {
      roles: 'server, client',
      script: '# muster-lint: ignore sync-not-called-by-all\nlava-sync ready',
      line: 1,
    },
    fix: 'Write the rule as it stands in brackets behind the finding, and a word on why.',
  },
  {
    id: 'job',
    severity: 'error',
    title: 'A job that cannot be read',
    page: 'The document is not a job that can be run: it would be refused when it is submitted.',
    example: { roles: '', script: '', line: 0 },
    fix: 'See docs/jobs.md.',
  },
  {
    id: 'definition',
    severity: 'error',
    title: 'A definition that cannot be read',
    page: 'The test definition is malformed: a worker would refuse it, and the member would fail.',
    example: { roles: 'server, client', script: '', line: 0 },
    fix: 'See `muster check-definition FILE`.',
  },
  {
    id: 'unknown',
    severity: 'note',
    title: 'Something that cannot be told before it runs',
    page: 'A repository that was not fetched, a script that is made at run time or written in another language, a word, a condition or a number of turns that depends on what only the board knows. Whatever depends on it is neither called clean nor broken.',
    example: { roles: 'server, client', script: 'lava-wait "$(cat /etc/phase)"', line: 1 },
    fix: 'Nothing, where it is meant so. Parameters of the definition and words of the script are known; the environment of a board is not.',
  },
] as const satisfies readonly Rule[];
