/** Why a step of a member failed, in words for its log; `code` is for programs. */

export type StepFailureCode =
  | 'board-gone'
  | 'boot-failed'
  | 'command-failed'
  | 'bridge-refused'
  | 'console-too-large'
  | 'definition-malformed'
  | 'definition-refused'
  | 'definition-unreachable'
  | 'image-broken'
  | 'image-refused'
  | 'image-too-large'
  | 'image-unreachable'
  | 'install-failed'
  | 'not-possible'
  | 'shell-ended'
  | 'teardown-failed';

/** Not a fault of Muster's: the member's action (or boot) ends as failed, with this message as its reason. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly code: StepFailureCode;
  constructor(code: StepFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The step is no longer owed, or the dispatcher stops: end quietly, report nothing. */
export class StepAborted extends Error {
  override readonly name = 'StepAborted';
  readonly code = 'step-aborted';
  constructor() {
    super('the step was taken back');
  }
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new StepAborted();
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ').trim();
}

/** The `code` of whatever was thrown, where it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether it was the worker's own disk that had no room. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (['ENOSPC', 'EDQUOT'].includes(codeOf(cause) ?? '')) return true;
  return false;
}

/** The cause of a failure, where a program of the worker says that it is the worker's disk; what others tell it is not believed. */
export const causeSaid = (stderr: string): ErrorOptions =>
  /^(?!remote:).*(?:No space left on device|Disk quota exceeded)/m.test(stderr)
    ? { cause: Object.assign(new Error("the worker's disk is full"), { code: 'ENOSPC' }) }
    : {};
