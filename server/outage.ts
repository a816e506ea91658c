/**
 * A log that is away, or a disk that is full, is met by every part of a server many times a second. It is said once, in
 * one line, when it begins, and once when it is over.
 */
import type { Logger, LoggerOptions } from 'pino';
import { StoreUnavailable } from '../store/port.ts';

export class Outage {
  #since: number | undefined;

  /** For the server's logger: what parts of the server report of it goes through here. */
  readonly hooks: NonNullable<LoggerOptions['hooks']> = ((outage: Outage) => ({
    logMethod(args, method) {
      const error = errorOf(args[0]);
      if (!(error instanceof StoreUnavailable)) method.apply(this, args);
      else if (outage.#begins()) method.apply(this, [oneLine(error.message)]);
    },
  }))(this);

  #begins(): boolean {
    const begins = this.#since === undefined;
    this.#since ??= performance.now();
    return begins;
  }

  /** Something was written: an outage that there was is over. */
  ends(log: Logger): void {
    if (this.#since === undefined) return;
    const seconds = Math.round((performance.now() - this.#since) / 1000);
    this.#since = undefined;
    log.warn(`the log takes what is written again, after ${seconds} s`);
  }
}

const errorOf = (first: unknown): unknown =>
  typeof first === 'object' && first !== null && 'err' in first ? first.err : first;

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ');
