/** The corpus of failures: each folder of test/corpus/failures is a job, what its boards run, and what is to be told of it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Explanation, Kind } from '../../answers/explain/explanation.ts';

const FOLDER = 'test/corpus/failures';

export const Expected = z.strictObject({
  kind: Kind,
  /** The role that is to be named as culprit. */
  role: z.string().optional(),
  file: z.string().optional(),
  line: z.int().optional(),
  /** Behind the `?` of the submission. */
  query: z.string().optional(),
  /** What the corpus does to the run from outside: at the first event of a type. */
  outside: z
    .strictObject({
      at: z.string(),
      do: z.enum(['cancel', 'lose', 'take']),
      /** `lose`: the role whose board the lab does not have any more; `take`: that of the board that goes into maintenance. */
      role: z.string().optional(),
    })
    .optional(),
});
export type Expected = z.infer<typeof Expected>;

export interface Scenario {
  readonly name: string;
  readonly folder: string;
  readonly document: string;
  readonly repository: string;
  readonly recorded: string;
  readonly expected: Expected;
}

export const scenarios: readonly Scenario[] = readdirSync(FOLDER)
  .filter((name) => existsSync(join(FOLDER, name, 'expect.json')))
  .map((name) => {
    const folder = join(FOLDER, name);
    const document = ['job.json', 'job.yaml'].map((file) => join(folder, file)).find(existsSync);
    return {
      name,
      folder,
      document: readFileSync(document ?? '', 'utf8'),
      repository: join(folder, 'tests'),
      recorded: join(folder, 'recorded.jsonl'),
      expected: Expected.parse(JSON.parse(readFileSync(join(folder, 'expect.json'), 'utf8'))),
    };
  });

/** What of an explanation is not as it should be; empty: nothing. */
export function differences(expected: Expected, { kind, culprit }: Explanation): string[] {
  const pairs: [string, unknown, unknown][] = [
    ['kind', expected.kind, kind],
    ['role', expected.role, culprit?.role],
    ['file', expected.file, culprit?.file],
    ['line', expected.line, culprit?.line],
  ];
  return pairs
    .filter(([, wanted, told]) => wanted !== undefined && wanted !== told)
    .map(([what, wanted, told]) => `${what}: ${wanted} is told as ${told}`);
}
