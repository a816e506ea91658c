/** How a command ends and what it prints, in the words that its readers share. */
import { exact } from './patterns.ts';
import type { Status } from './scope.ts';
import type { Span } from './shell-tree.ts';
import type { Field, Result, Walk } from './walk.ts';

export const quiet = (status: Status): Result => ({ status, out: exact('') });

/** It may end well or not: nobody knows before it runs. */
export const either = (walk: Walk, statement: Span, text = walk.textOf(statement)): Status => ({
  is: 'either',
  key: `command ${walk.id()}`,
  isFlipped: false,
  text,
  isCall: false,
});

/** The text of a word, where all of it is known. */
export const text = (field: Field | undefined): string | undefined =>
  field?.value.kind === 'exact' ? field.value.text : undefined;
