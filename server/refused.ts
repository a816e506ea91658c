/** What a person got wrong; the message says what, where and what to do. */
export class ServerRefused extends Error {
  override readonly name = 'ServerRefused';
  readonly code = 'server-refused';
}
