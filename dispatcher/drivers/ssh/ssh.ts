/**
 * The `ssh` driver: a machine that is always on. It is reached by the system's own `ssh`, with its configuration and its
 * known hosts; what a job leaves there is ended and removed, and the lab's `cleanup` does the rest.
 */
import { createHash } from 'node:crypto';
import type { SshSettings } from '../../../submission/lab-drivers.ts';
import { StepFailure } from '../../failure.ts';
import { lastLine, runProgram, shellQuoted } from '../../programs.ts';
import type { BoardState } from '../board-folder.ts';
import type { Driver, DriverContext, LabBoard, Seat } from '../driver.ts';
import { settings } from '../lab-commands.ts';
import { LineDriver } from '../line-board.ts';
import { type LineKind, type LineSeat, onTerminal } from '../line-kind.ts';
import { MARK_VARIABLE, markOf } from '../processes.ts';

/** Its user may not be root: where everybody may write. */
const HOME = '/tmp';
const CONNECT_SECONDS = 20;
const CLEAN_MS = 60_000;
const DELIVER_MS = 600_000;
/** On the machine itself, where a job finds the server: above what services use, below what a kernel gives out. */
const PORT_FIRST = 20_000;
const PORTS = 12_000;

export async function openSshDriver(context: DriverContext): Promise<Driver> {
  return new LineDriver(context, new Machine(context));
}

class Machine implements LineKind {
  readonly boardsAre = 'machines';
  readonly gateway = undefined;
  readonly isClosed = 'the connection to the machine was closed';
  readonly startsMax = 1;
  readonly #context: DriverContext;
  #server: URL | undefined;

  constructor(context: DriverContext) {
    this.#context = context;
  }

  addressOf(device: string): string | undefined {
    return this.#board(device)?.address;
  }

  login(board: LabBoard | undefined) {
    return { home: settings(board).ssh.home ?? HOME };
  }

  /** What it reaches through the line itself, where the lab names no other way. */
  variables({ device }: Seat): readonly (readonly [string, string])[] {
    const { server_url: url } = this.#ssh(device);
    return [['MUSTER_URL', url ?? `http://127.0.0.1:${this.#port(device)}`]];
  }

  async deploy({ seat }: LineSeat, image: string): Promise<void> {
    if (image !== 'host:')
      throw new StepFailure(
        'image-refused',
        `image ${image}: ${seat.device} is a machine that is always on: only "host:" can be deployed`,
      );
  }

  async program({ seat: { device } }: LineSeat): Promise<string[]> {
    const { server_url: url } = this.#ssh(device);
    const server = this.#server;
    const way =
      url === undefined && server !== undefined
        ? [
            ...['-o', 'ExitOnForwardFailure=yes'],
            ...['-R', `127.0.0.1:${this.#port(device)}:${server.hostname}:${server.port || '80'}`],
          ]
        : [];
    const words = [...this.#words(device, ['-tt', ...way]), 'exec sh -i'];
    return onTerminal(`exec ${words.map(shellQuoted).join(' ')}`);
  }

  async connect(): Promise<void> {}

  network(): undefined {
    return undefined;
  }

  async deliver({ seat, signal }: LineSeat, archive: string, place: string): Promise<void> {
    const words = this.#words(seat.device, ['-T']);
    const end = await runProgram('sh', ['-c', 'exec "$@" <"$0"', archive, ...words, place], {
      ...{ signal, timeoutMs: DELIVER_MS, env: { ...process.env, ...this.#context.fetchMark } },
    });
    if (end.status !== 0)
      throw new StepFailure(
        'install-failed',
        `cannot lay files on ${seat.device}: ${lastLine(end.stderr)}`,
      );
  }

  async letReach(urls: readonly string[]): Promise<void> {
    const [url = ''] = urls;
    this.#server = URL.canParse(url) ? new URL(url) : undefined;
  }

  /** Ends what the job left there: every process with its mark, and the job's folder. */
  async powerOff(device: string, state: BoardState | undefined): Promise<void> {
    if (state === undefined || this.#ssh(device).host === undefined) return;
    const mark = `${MARK_VARIABLE}=${markOf(this.#context.hash, device)}`;
    const { home = HOME } = this.#ssh(device);
    const script = endScript(mark, `${home}/lava-${state.job}`);
    const end = await runProgram(
      'sh',
      ['-c', 'exec "$@"', 'sh', ...this.#words(device, ['-T']), script],
      {
        ...{ timeoutMs: CLEAN_MS, env: { ...process.env, ...this.#context.fetchMark } },
      },
    );
    if (end.status !== 0)
      throw new StepFailure(
        'command-failed',
        `cannot end what runs on ${device}: ${lastLine(end.stderr) || `status ${end.status}`}`,
      );
  }

  async power(device: string): Promise<void> {
    throw new StepFailure(
      'not-possible',
      `${device} is a machine behind ssh, which is always on: Muster has no switch for it`,
    );
  }

  async takeOver(): Promise<void> {}

  async close(): Promise<void> {}

  #board(device: string): LabBoard | undefined {
    return this.#context.boards.find(({ name }) => name === device);
  }

  #ssh(device: string): SshSettings {
    return settings(this.#board(device)).ssh;
  }

  /** The same in every life of the worker: a board that runs knows it. */
  #port(device: string): number {
    const hash = createHash('sha256').update(`${this.#context.hash}/${device}`).digest();
    return PORT_FIRST + (hash.readUInt32BE(0) % PORTS);
  }

  /** Nobody is asked anything, and no host is believed that was not known before. */
  #words(device: string, more: readonly string[]): string[] {
    const { host = '', user, port, key, known_hosts: known, config } = this.#ssh(device);
    const options = [
      ...['BatchMode=yes', 'StrictHostKeyChecking=yes', `ConnectTimeout=${CONNECT_SECONDS}`],
      ...['ServerAliveInterval=15', 'ServerAliveCountMax=3', 'LogLevel=ERROR'],
      ...(known === undefined ? [] : [`UserKnownHostsFile=${known}`, 'GlobalKnownHostsFile=none']),
      ...(key === undefined ? [] : ['IdentitiesOnly=yes']),
    ];
    return [
      'ssh',
      ...(config === undefined ? [] : ['-F', config]),
      ...options.flatMap((option) => ['-o', option]),
      ...(key === undefined ? [] : ['-i', key]),
      ...(user === undefined ? [] : ['-l', user]),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...more,
      ...['--', host],
    ];
  }
}

/** For sh on the machine: status 0 when none of them is left. */
const endScript = (mark: string, folder: string): string => `
round=0
while [ "$round" -lt 50 ]; do
  left=
  for place in /proc/[0-9]*; do
    if tr '\\0' '\\n' <"$place/environ" 2>/dev/null | grep -qxF ${shellQuoted(mark)}; then
      kill -9 "\${place#/proc/}" 2>/dev/null && left=yes
    fi
  done
  [ -n "$left" ] || { rm -rf ${shellQuoted(folder)}; exit 0; }
  round=$((round + 1))
done
echo 'processes of the job do not end' >&2
exit 1
`;
