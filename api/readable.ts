/** Reads of the log that an answer can do without. */
import { UnreadableEvent } from '../machines/events.ts';
import { IllegalTransition } from '../machines/table.ts';

/** What is damaged elsewhere in the log leaves unknown what would have to be read through it, and no more. */
export async function ifReadable<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof UnreadableEvent || error instanceof IllegalTransition) return undefined;
    throw error;
  }
}
