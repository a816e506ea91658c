/** What became of a worker's boards when its lab's file was read again. */
import { z } from 'zod';

export const LabChange = z.strictObject({
  /** How many boards it has now. */
  boards: z.int().nonnegative(),
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
  /** Of those that changed or go: the ones that a job has as they were, to its end. */
  later: z.array(z.string()),
});
export type LabChange = z.infer<typeof LabChange>;
