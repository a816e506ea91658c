/** The evidence of a lab's job: its events, without sources and consoles. */
import type { Evidence } from '../../answers/evidence.ts';
import type { Lab } from '../machines/lab.ts';

export const evidenceOf = (lab: Pick<Lab, 'events'>): Evidence => ({
  job: 1,
  events: lab.events,
  sources: [],
  console: () => ({
    bytes: 0,
    read: async () => Buffer.alloc(0),
    timeAt: async () => undefined,
    offsetAt: async () => undefined,
  }),
});
