/** How a command ends other than well: the exit codes that scripts rely on, and the errors that lead to them. */

export const EXIT = {
  ok: 0,
  /** The job, or what was asked of the server, failed. */
  failed: 1,
  /** The command line or the file is wrong: trying again will not help. */
  usage: 2,
  /** No server of Muster, or of the log. */
  noServer: 3,
  /** 128 + SIGINT, as shells count. */
  interrupted: 130,
} as const;

/** 128 + its number, as shells count: of a command that did something in order before it ended. */
export const EXIT_OF_SIGNAL = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Ends the command with a message on stderr and an exit code. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly code: string;
  readonly exit: number;
  constructor(is: { code: string; exit: number; message: string }) {
    super(is.message);
    this.code = is.code;
    this.exit = is.exit;
  }
}

/** The user pressed Ctrl-C. `message` says what goes on without us; empty: nothing to say. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code = 'interrupted';
}

/** Whoever read our stdout went away (`| head`): nothing is left to do. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
  readonly code = 'output-closed';
}
