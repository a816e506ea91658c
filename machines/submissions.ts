/** `submissions`: counts the jobs. One small event a job; the stream's version is the job's number. */
import type { SubmissionCommand } from './commands.ts';
import { Draft, type Env } from './deciding.ts';
import type { NewEvent, SubmissionEvent } from './events.ts';

export interface SubmissionsState {
  readonly jobs: number;
}

export const initialSubmissions: SubmissionsState = { jobs: 0 };

export const evolveSubmissions = (
  state: SubmissionsState,
  _: SubmissionEvent,
): SubmissionsState => ({
  jobs: state.jobs + 1,
});

export function decideSubmissions(
  command: SubmissionCommand,
  state: SubmissionsState,
  env: Env,
): NewEvent<SubmissionEvent>[] {
  const draft = new Draft<SubmissionsState, SubmissionEvent>(state, env, evolveSubmissions);
  draft.emit('SubmissionReceived', { name: command.name });
  return draft.events;
}
