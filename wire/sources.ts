/**
 * What ran as one suite: the files of its checkout and the scripts that were made of its definition, each by its digest.
 * The list is kept beside the log as they are, under its own digest, which `SuitePrepared.sources` says.
 */
import { z } from 'zod';

/** Why the bytes of a file were not kept. */
export const NotKept = z.enum(['binary', 'large', 'many', 'link']);

export const SourceFile = z.strictObject({
  /** Within the checkout, with `/`. */
  path: z.string(),
  bytes: z.int().nonnegative(),
  /** SHA-256, lower-case hex. */
  digest: z.string(),
  notKept: NotKept.optional(),
});
export type SourceFile = z.infer<typeof SourceFile>;

export const SourceScript = z.strictObject({
  name: z.enum(['install.sh', 'run.sh']),
  bytes: z.int().nonnegative(),
  digest: z.string(),
  /** Of each step: the line of the script at which it begins, and that of the definition; both from 1, in order. */
  steps: z.array(z.tuple([z.int().positive(), z.int().positive()])),
});
export type SourceScript = z.infer<typeof SourceScript>;

export const SourceList = z.strictObject({
  /** The file of the definition, as `files` names it; absent: the commands of a `lava_command_run`. */
  definition: z.string().optional(),
  files: z.array(SourceFile),
  scripts: z.array(SourceScript),
  /** How many files are left out of the list. */
  more: z.int().nonnegative().optional(),
});
export type SourceList = z.infer<typeof SourceList>;
