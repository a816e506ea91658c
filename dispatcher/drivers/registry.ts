/** The kinds of boards that a worker can drive: a kind's name in the lab's file, and how its driver is opened. */
import type { OpenDriver } from './driver.ts';
import { type LocalOptions, openLocalDriver } from './local/local.ts';

export type Registry = ReadonlyMap<string, OpenDriver>;

/** What the lab says to each kind alone. */
export interface DriverOptions {
  local: LocalOptions;
}

/** The first kind is that of boards whose kind nobody knows any more. */
export const registry = ({ local }: DriverOptions): Registry =>
  new Map([['local', (context) => openLocalDriver(context, local)]]);
