/** A real server whose boards have no network, on a serial line alone, and one that has; their scripts in a repository. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobView } from '../../projections/views.ts';
import { gitRepository } from '../dispatcher/harness.ts';
import { checkLog } from './invariants.ts';
import { ServerProcess } from './server-process.ts';

const fake = fileURLToPath(new URL('../dispatcher/fake-board.sh', import.meta.url));
// Opened first: the checkout itself may lie below /tmp.
const line = `exec unshare -n -m sh -c 'exec 3<${fake} && mount -t tmpfs none /tmp && exec sh /proc/self/fd/3 shell'`;

/** Of a lab's file: the type of boards that have a serial line and nothing else. */
export const SERIAL_TYPE = `  serial:
    driver: console
    login: { home: /tmp/muster }
    console: { power_on: 'true', power_off: 'true' }`;

/** Such boards. */
export const serialBoards = (...names: string[]): string =>
  names
    .map((name) => {
      const connect = JSON.stringify(`MUSTER_NAME=${name} ${line}`);
      return `  ${name}: { type: serial, console: { connect: ${connect} } }`;
    })
    .join('\n');

const LAB = `
device_types:
${SERIAL_TYPE}
  panda: { driver: local }
devices:
${serialBoards('s1', 's2', 's3')}
  panda01: { type: panda }
`;

interface Case {
  device: string;
  case: string;
  result: string;
  suite: string;
  note?: string;
}

interface Ended {
  job: JobView;
  cases: Case[];
  /** As they were streamed. */
  events: string;
  console(device: string): Promise<string>;
}

export const group = (...roles: [role: string, count: number, type: string][]) =>
  roles.map(([role, count, device_type]) => ({ role, count, device_type }));

/** The cases of one board. */
export const casesOf = ({ cases }: Ended, device: string): Case[] =>
  cases.filter((c) => c.device === device);

export class SerialLab {
  readonly server: ServerProcess;
  readonly repository: string;

  private constructor(server: ServerProcess) {
    this.server = server;
    this.repository = join(server.folder, 'tests');
  }

  /** @param definitions texts by their names */
  static async start(definitions: Record<string, string>): Promise<SerialLab> {
    const server = await ServerProcess.make(LAB, [], (folder) => [join(folder, 'tests')]);
    await server.start();
    const lab = new SerialLab(server);
    await mkdir(lab.repository);
    gitRepository(lab.repository, definitions);
    return lab;
  }

  /** It has ended well, and its log is right. */
  async stop(): Promise<void> {
    await this.server.end('SIGTERM');
    checkLog(await this.server.log(), { finished: true });
    await this.server.remove();
  }

  /** An action that runs a definition of the repository. */
  shell(role: string, testdef: string) {
    const repository = { 'git-repo': this.repository, testdef };
    return { command: 'lava_test_shell', parameters: { role, testdef_repos: [repository] } };
  }

  async submit(job: object): Promise<number> {
    const document = { timeout: 60, job_name: 'serial', ...job };
    return (await this.server.post('/api/jobs', document)).id;
  }

  async ended(job: object): Promise<Ended> {
    const url = `/api/jobs/${await this.submit(job)}`;
    const stream = await fetch(`${this.server.url}${url}/events`, {
      headers: { accept: 'text/event-stream' },
    });
    const events = await stream.text();
    const { cases } = await this.server.get<Pick<Ended, 'cases'>>(`${url}/results`);
    return {
      job: await this.server.get<JobView>(url),
      ...{ cases, events },
      console: async (device) =>
        await (await fetch(`${this.server.url}${url}/members/${device}/console`)).text(),
    };
  }
}
