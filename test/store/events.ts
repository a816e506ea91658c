/** Events and small helpers for the tests of the store. */
import { randomUUID } from 'node:crypto';
import type { NewEvent, RecordedEvent } from '../../machines/events.ts';

/** A valid event; `text` is its message, `pairs` its data. */
export function sent(text = 'x', pairs: [string, string][] = []): NewEvent {
  return {
    id: randomUUID(),
    type: 'MessageSent',
    data: { member: 'panda01', verb: 'send', message: text, count: 1, pairs },
    meta: { at: 0, actor: 'board:panda01', causationId: 'c', correlationId: 'job-1' },
  };
}

export const many = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) => sent(`m${index}`));

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

export const idsOf = (events: readonly { id: string }[]): string[] => events.map(({ id }) => id);

/** A stored event without its place: what was handed in. */
export function asNew({ stream, version, position, ...event }: RecordedEvent): NewEvent {
  return event as NewEvent;
}

/** Waits for the thing itself: asks again until it is so. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Skips a test, and says why where everybody sees it. */
export function skipBecause(context: { skip(note?: string): never }, reason: string): never {
  console.warn(`skipped: ${reason}`);
  return context.skip(reason);
}

export type Undo = (() => void | Promise<void>)[];

/** Undoes the last thing first, and all of them even when one fails. */
export async function undoAll(steps: Undo): Promise<void> {
  const faults: unknown[] = [];
  for (const step of steps.splice(0).reverse()) {
    try {
      await step();
    } catch (fault) {
      faults.push(fault);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, 'a test could not be undone');
}
