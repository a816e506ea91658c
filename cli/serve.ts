/** `muster serve`: a server in the foreground, until it is told to stop. */
import { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { CommandRefused } from '../engine/live-stream.ts';
import { UnreadableEvent } from '../machines/events.ts';
import type { CertificateFiles } from '../server/certificate.ts';
import { Outage } from '../server/outage.ts';
import { ServerRefused } from '../server/refused.ts';
import { type RunningServer, startServer } from '../server/server.ts';
import { StoreRefused, StoreUnavailable } from '../store/port.ts';
import { type Cli, folder } from './command.ts';
import { CliFailure, EXIT } from './exit.ts';
import { DATA_DEFAULT } from './log-command.ts';
import { hang } from './pages/text.ts';
import { saidReload } from './reload.ts';
import { toldToStop } from './told-to-stop.ts';

const DEFAULT_LISTEN = '127.0.0.1:7077';

/** `HOST:PORT`, `:PORT`, `[IPV6]:PORT`. @throws ServerRefused */
function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new ServerRefused(`--listen ${text}: expected HOST:PORT, such as ${DEFAULT_LISTEN}`);
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port };
}

interface ServeOptions {
  data: string;
  listen: string;
  lab?: string;
  store?: string;
  keepDays?: string;
  tlsCert?: string;
  tlsKey?: string;
}

const DAYS_MAX = 36_500;

/** @throws ServerRefused */
function parseDays(text: string): number {
  const days = Number(text);
  if (!/^\d{1,5}$/.test(text) || days < 1 || days > DAYS_MAX)
    throw new ServerRefused(`--keep-days ${text}: expected a whole number of days, at least 1`);
  return days;
}

/** @throws ServerRefused */
function tlsOf({ tlsCert: cert, tlsKey: key }: ServeOptions): { tls?: CertificateFiles } {
  if (cert !== undefined && key !== undefined) return { tls: { cert, key } };
  if (cert === undefined && key === undefined) return {};
  const [given, missing] = key === undefined ? ['cert', 'key'] : ['key', 'cert'];
  throw new ServerRefused(`--tls-${given} needs --tls-${missing} beside it`);
}

async function serve(options: ServeOptions, columns: number): Promise<void> {
  const outage = new Outage();
  const log = pino(
    { level: process.env.MUSTER_LOG_LEVEL ?? 'warn', hooks: outage.hooks },
    pino.destination({ fd: 2, sync: true }),
  );
  // A fault of a part that nobody waits for, such as an event that cannot be read: the server ends with it.
  const fault = new Promise<never>((_, reject) => process.on('uncaughtException', reject));
  // Heard from the first moment on: whoever starts a server may tell it something at once.
  const told = toldToStop(
    () =>
      void starting.then(
        (running) => reload(running, log),
        () => {},
      ),
  );
  const starting = startServer({
    dataDir: options.data,
    ...parseListen(options.listen),
    ...(options.lab !== undefined && { labFile: options.lab }),
    ...(options.store !== undefined && { store: options.store }),
    ...(options.keepDays !== undefined && { keepDays: parseDays(options.keepDays) }),
    ...tlsOf(options),
    ...(process.env.MUSTER_API_TOKEN && { apiToken: process.env.MUSTER_API_TOKEN }),
    log,
    outage,
  });
  const server = await Promise.race([fault, starting, told]);
  if (server === undefined) return;
  const boards =
    server.boards === 'none'
      ? 'no boards of its own: it waits for workers ("muster worker-token NAME" lets one connect)'
      : `${server.boardCount} boards (${server.boards})`;
  const docs = `API documentation: ${server.url}/docs`;
  process.stdout.write(
    hang('muster: ', `${server.url}  ${boards}`, columns) + hang('        ', docs, columns),
  );
  await Promise.race([fault, told]);
  await Promise.race([fault, server.stop()]);
}

async function reload(server: RunningServer, log: Logger): Promise<void> {
  try {
    await server.reloadCertificate();
  } catch (error) {
    if (!(error instanceof ServerRefused)) throw error;
    log.error(`SIGHUP: the certificate has not changed: ${error.message}`);
  }
  if (server.reloadLab !== undefined) await saidReload(server.reloadLab, log);
}

/** What a person can mend is said and has its exit code; anything else is a fault of ours. */
function failureOf(error: unknown): unknown {
  if (error instanceof ServerRefused || error instanceof StoreRefused)
    return failure(error, EXIT.usage);
  // A board of the lab's file is another server's.
  if (error instanceof CommandRefused) return failure(error, EXIT.usage);
  if (error instanceof StoreUnavailable) return failure(error, EXIT.noServer);
  if (error instanceof UnreadableEvent) {
    const message = `${error.message}; "muster verify" names all such events, docs/operations.md says what to do`;
    return failure({ code: error.code, message }, EXIT.failed);
  }
  return error;
}

const failure = ({ code, message }: { code: string; message: string }, exit: number): CliFailure =>
  new CliFailure({ code, exit, message });

export function serveCommand({ io }: Cli): Command {
  return new Command('serve')
    .description('run the server: log, scheduler, boards, API')
    .option('--data <dir>', 'folder of the log and the consoles', folder, DATA_DEFAULT)
    .option('--listen <host:port>', 'where people and programs reach it', DEFAULT_LISTEN)
    .option('--lab <file>', "the lab's boards (YAML)")
    .option('--store <url>', 'the log: an EventStoreDB, esdb://HOST:PORT or esdb://A,B,C')
    .option('--tls-cert <file>', 'speak HTTPS with this certificate (PEM, with those that sign it)')
    .option('--tls-key <file>', "the certificate's key (PEM, without a passphrase)")
    .option('--keep-days <days>', 'archive jobs that ended longer ago (default: keep all)')
    .addHelpText(
      'after',
      `
Any address but loopback needs MUSTER_API_TOKEN.
MUSTER_LOG_LEVEL=info says more. SIGHUP: the lab's file and the certificate are read again.

Example:
  $ muster serve --data /var/lib/muster --lab lab.yaml
  $ muster serve --store 'esdb://db1,db2,db3?tls=false' --lab lab.yaml`,
    )
    .action(async (options: ServeOptions) => {
      try {
        await serve(options, io.columns);
      } catch (error) {
        throw failureOf(error);
      }
    });
}
