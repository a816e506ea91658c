/** A log for a person who watches: the words of each line of pino's JSON, wrapped. */
import { type Logger, pino } from 'pino';
import { hang } from './pages/text.ts';

/** Warnings and errors only; what went wrong stands behind the message. */
export function plainLog(write: (text: string) => void, columns: number): Logger {
  return pino(
    { level: 'warn' },
    {
      write: (line: string) => {
        const { msg = '', err } = JSON.parse(line) as { msg?: string; err?: { message: string } };
        write(hang('note: ', err === undefined ? msg : `${msg}: ${err.message}`, columns));
      },
    },
  );
}
