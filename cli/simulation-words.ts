/** What `muster simulate` is told in words of its own: boards to add, labs to make up, policies. */
import { InvalidArgumentError } from 'commander';
import { JOBS_PER_BOARD, WISHES_DEFAULT, type Wishes } from '../simulation/generate.ts';
import { POLICIES, type PolicyName } from '../simulation/policies.ts';
import type { MoreBoards } from '../simulation/trace.ts';
import { didYouMean, quote } from '../submission/quoting.ts';

const BOARDS_MAX = 100_000;
const JOBS_MAX = 10_000_000;

/** What `--generate` may wish, with its limits. */
const WISHES: Record<string, { name: keyof Wishes; min: number; max: number }> = {
  boards: { name: 'boards', min: 2, max: BOARDS_MAX },
  jobs: { name: 'jobs', min: 1, max: JOBS_MAX },
  wide: { name: 'widePercent', min: 0, max: 100 },
  load: { name: 'loadPercent', min: 1, max: 1_000 },
  burst: { name: 'burst', min: 1, max: JOBS_MAX },
  lost: { name: 'lostPercent', min: 0, max: 100 },
};

/** `gang,greedy`. */
export function policiesIn(text: string): PolicyName[] {
  const chosen = text.split(',').map((word) => {
    const policy = POLICIES.find((name) => name === word.trim());
    if (policy !== undefined) return policy;
    const near = didYouMean(word, POLICIES);
    throw new InvalidArgumentError(
      [`There is no policy ${quote(word)};`, near, `there are ${POLICIES.join(', ')}.`]
        .filter((part) => part !== '')
        .join(' '),
    );
  });
  return [...new Set(chosen)];
}

/** `panda:2`, `panda:2:tag1,tag2`; one more of the option each time. */
export function moreBoards(text: string, before: MoreBoards[] = []): MoreBoards[] {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]{0,127}):([0-9]{1,6})(?::(\S+))?$/.exec(text);
  const count = Number(match?.[2]);
  const tags = match?.[3]?.split(',').filter((tag) => tag !== '') ?? [];
  if (match?.[1] === undefined || count < 1 || count > BOARDS_MAX)
    throw new InvalidArgumentError(
      `Expected TYPE:COUNT or TYPE:COUNT:TAG,TAG with a count from 1 to ${BOARDS_MAX}, such as panda:2:wifi.`,
    );
  return [...before, { deviceType: match[1], count, tags }];
}

/** `boards=100,jobs=2000,wide=20,load=80,burst=5,lost=5`; all but `boards` may be left out. */
export function wishesIn(text: string): Wishes {
  const given: Partial<Wishes> = {};
  for (const part of text.split(',')) {
    const [key = '', value = ''] = part.split('=');
    const wish = Object.hasOwn(WISHES, key) ? WISHES[key] : undefined;
    if (wish === undefined)
      throw new InvalidArgumentError(
        `There is no wish ${quote(key)}; there are ${Object.keys(WISHES).join(', ')}.`,
      );
    const { name, min, max } = wish;
    const number = /^[0-9]{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max))
      throw new InvalidArgumentError(`${key}: expected a whole number from ${min} to ${max}.`);
    given[name] = number;
  }
  const { boards } = given;
  if (boards === undefined)
    throw new InvalidArgumentError('It has to say how many boards, such as boards=100.');
  return { ...WISHES_DEFAULT, jobs: boards * JOBS_PER_BOARD, ...given, boards };
}

/** One more name each time, or several at once. */
export function moreNames(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(',').filter((name) => name !== '')];
}
