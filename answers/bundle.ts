/**
 * A job in one file: a tar.gz that any tar reads. Its parts, in this order: `manifest.json`; `events.jsonl`, an event a
 * line; `related.jsonl`, those of boards and workers that belong to it; `past.json`, when the
 * calls of the runs before it came; `lab.json`, the queue and the boards as they were at its events; `document.txt`, as it was handed in; `suites.json`, what ran, and `sources/DIGEST`, its texts; `consoles/DEVICE`, with
 * `consoles/DEVICE.times` beside it; and last `end.json`, which names every part before it with its size and digest. A file
 * without its end was cut off; one whose parts are not what the end says was edited. Neither is believed.
 */
import { z } from 'zod';
import { SourceList } from '../wire/sources.ts';
import { LabMoment } from './views.ts';

export const BUNDLE_FORMAT = 1;

export const Manifest = z.strictObject({
  bundle: z.int().positive(),
  job: z.int().positive(),
  /** The version of Muster that wrote it, and the vocabulary of its events. */
  muster: z.string(),
  vocabulary: z.int().positive(),
  madeAt: z.iso.datetime(),
  /** It was made of another system's logs: what they do not hold, in sentences. */
  imported: z.strictObject({ from: z.string(), unknown: z.array(z.string()) }).optional(),
});
export type Manifest = z.infer<typeof Manifest>;

export const SuitesPart = z.array(
  z.strictObject({ member: z.string(), suite: z.string(), list: SourceList.optional() }),
);

export const LabPart = z.strictObject({
  runs: z.array(z.strictObject({ from: z.int().positive(), lab: LabMoment })),
  until: z.int().nonnegative(),
});

export const EndPart = z.strictObject({
  parts: z.array(
    z.strictObject({ name: z.string(), bytes: z.int().nonnegative(), digest: z.string() }),
  ),
});
export type EndPart = z.infer<typeof EndPart>;

export const PART = {
  manifest: 'manifest.json',
  events: 'events.jsonl',
  related: 'related.jsonl',
  past: 'past.json',
  lab: 'lab.json',
  document: 'document.txt',
  suites: 'suites.json',
  source: 'sources/',
  console: 'consoles/',
  times: '.times',
  end: 'end.json',
} as const;
