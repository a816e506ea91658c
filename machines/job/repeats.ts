/**
 * Whether a request whose key is known asks for what the first one with that key asked for. The same key with other words
 * or another verb is refused, not answered (SEMANTICS 2.4): whoever sent it would take the answer for another's.
 */
import type { JobCommand } from '../commands.ts';
import type { JobEvent } from '../events.ts';
import type { JobState } from './job.ts';
import { readWords } from './verb-words.ts';

/**
 * @param events what the key caused the first time; none: nothing is known of it
 * @returns `false` when they are of another request; true where that cannot be told
 */
export function isRepeat(
  command: JobCommand,
  events: readonly JobEvent[],
  job: Pick<JobState, 'definition'>,
): boolean {
  const first = events[0];
  if (first === undefined) return true;
  switch (command.type) {
    case 'CallVerb':
      return isSameCall(command, first, job.definition?.roles.map(({ role }) => role) ?? []);
    case 'RecordResult':
      return (
        first.type === 'ResultRecorded' &&
        first.data.case === command.case &&
        first.data.result === command.result
      );
    case 'StartSuite':
      return first.type === 'SuiteStarted' && first.data.suite === command.suite;
    case 'EndSuite':
      return first.type === 'SuiteEnded' && first.data.suite === command.suite;
    case 'KeepAttachment':
      return (
        first.type === 'AttachmentKept' &&
        first.data.digest === command.digest &&
        first.data.name === command.name
      );
    case 'SubmitJob':
      // A check of a board's health has its number as its key, whatever the lab's file says of it meanwhile.
      return (
        first.type === 'JobSubmitted' &&
        (first.data.document === command.document ||
          first.data.definition.healthCheckOf !== undefined)
      );
    default:
      return true;
  }
}

function isSameCall(
  { verb, words }: Extract<JobCommand, { type: 'CallVerb' }>,
  first: JobEvent,
  roles: readonly string[],
): boolean {
  const said = readWords(verb, words, [...roles]);
  switch (first.type) {
    case 'MessageSent':
      return (
        !('code' in said) &&
        first.data.verb === verb &&
        first.data.message === said.message &&
        JSON.stringify(first.data.pairs) === JSON.stringify(said.pairs)
      );
    case 'WaitStarted':
      return (
        !('code' in said) &&
        first.data.verb === verb &&
        first.data.message === said.message &&
        first.data.role === said.role
      );
    case 'RequestRefused':
      return (
        'code' in said &&
        first.data.verb === verb &&
        first.data.code === said.code &&
        first.data.message === said.message
      );
    default:
      return false;
  }
}
