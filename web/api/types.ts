/** What the API says, by its own schemas: types alone, which cost a browser nothing. */
import type { z } from 'zod';
import type * as api from '../../api/schemas.ts';
import type { AnyEvent, RecordedEvent as Recorded } from '../../machines/events.ts';

export type { DeviceView } from '../../api/schemas.ts';
export type {
  CaseRunView,
  CaseSeriesView,
  CaseView,
  JobView,
} from '../../projections/views.ts';

export type RecordedEvent = Recorded<AnyEvent>;
export type QueueEntry = z.infer<typeof api.Queue>['queue'][number];
export type QueuePage = z.infer<typeof api.Queue>;
export type JobPage = z.infer<typeof api.JobPage>;
export type WhyView = z.infer<typeof api.WhyView>;
export type WorkerView = z.infer<typeof api.Workers>['workers'][number];
export type ServerHealth = z.infer<typeof api.HealthView>;
export type Results = z.infer<typeof api.Results>;
export type CaseHistory = z.infer<typeof api.CaseHistory>;
export type Submitted = z.infer<typeof api.Submitted>;
export type EventPage = { events: RecordedEvent[]; next?: number };
export type CheckedJob = z.infer<typeof api.CheckedJob>;
export type { DiffView, DivergenceView, WhatIfView } from '../../answers/compared-views.ts';
export type { Culprit, Evidence, Explanation, Step } from '../../answers/explain/explanation.ts';
export type { RanView, ScriptLinesView, SourcesView } from '../../answers/views.ts';
