/** An answer that cannot be given. `code` is for programs, the message for people. */
export type AnswerRefusal =
  | 'invalid-request'
  | 'no-such-event'
  | 'no-such-source'
  | 'no-good-run'
  | 'unreadable-event';

export class AnswerRefused extends Error {
  override readonly name = 'AnswerRefused';
  readonly code: AnswerRefusal;
  constructor(code: AnswerRefusal, message: string) {
    super(message);
    this.code = code;
  }
}
