/**
 * What the command line reads beside the views of `api/schemas.ts`: problems and events. Loose on purpose: an
 * event of a type that this version does not know is still passed on.
 */
import { z } from 'zod';

/** RFC 9457, with Muster's `code`. */
export const ProblemDocument = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string(),
  problems: z
    .array(
      z.looseObject({
        message: z.string(),
        path: z.string().default(''),
        line: z.number().optional(),
        column: z.number().optional(),
      }),
    )
    .default([]),
});
export type ProblemDocument = z.infer<typeof ProblemDocument>;

/** An event as it came. */
export const Received = z.looseObject({
  type: z.string(),
  stream: z.string(),
  version: z.number(),
  position: z.number(),
  data: z.unknown(),
  meta: z.looseObject({ at: z.number() }),
});
export type Received = z.infer<typeof Received>;

export const EventPage = z.looseObject({
  events: z.array(Received),
  next: z.number().optional(),
});
export type EventPage = z.infer<typeof EventPage>;
