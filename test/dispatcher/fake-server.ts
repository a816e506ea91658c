/**
 * A server that says what it was told to: members with scripted actions, every report kept, and the board's side of
 * the wire over real HTTP with the few verbs that these tests need. It decides nothing on its own.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MemberCommand } from '../../machines/commands.ts';
import { type Action, needsShell } from '../../machines/definition.ts';
import type { BoardRegistration, Ended, Owed, ServerPort } from '../../wire/server-port.ts';

export interface Report {
  job: number;
  command: MemberCommand;
  key: string;
  console: number | undefined;
}

export interface FakeMember {
  job: number;
  device: string;
  role: string;
  lease: string;
  actions: Action[];
  next: number;
  begun: boolean;
  booting: boolean;
  booted: boolean;
  image: string | undefined;
  suites: number;
  end: string | undefined;
}

class MemberEnded extends Error {
  readonly code = 'member-ended';
}

const PORT_TRIES_MAX = 20;

/** Below those that the system gives to connections: nobody comes by it while it is closed for a moment. */
const anyPort = (): number => 10_000 + Math.floor(20_000 * Math.random());

export class FakeServer implements ServerPort {
  readonly members: FakeMember[] = [];
  readonly reports: Report[] = [];
  /** `<device>: <verb> <words>` of every request of a board. */
  readonly calls: string[] = [];
  /** What the dispatcher had kept, as text, by digest. */
  readonly kept = new Map<string, string>();
  readonly endedLines = new Map<string, string[]>();
  registered: readonly BoardRegistration[] = [];
  /** Set by a test: reports are refused with it while it is there. */
  reportError: Error | undefined;
  host = '127.0.0.1';
  #keys = new Set<string>();
  #listeners = new Set<() => void>();
  #http: Server | undefined;
  port = 0;

  /** At a port of its own, or at one that it had before. @throws Error when that is taken */
  async listen(port?: number): Promise<void> {
    const http = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const verb = (request.url ?? '').split('/').at(-1) ?? '';
        const device = (request.headers.authorization ?? '').replace('Bearer token-', '');
        const words = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1);
        this.calls.push(`${device}: ${[verb, ...words].join(' ')}`);
        response.setHeader('content-type', 'text/plain');
        response.end(this.#answer(verb, device, words));
      });
    });
    this.#http = http;
    for (let tries = 1; ; tries++)
      try {
        http.listen(port ?? anyPort(), '0.0.0.0');
        await once(http, 'listening');
        break;
      } catch (error) {
        if (port !== undefined || tries === PORT_TRIES_MAX) throw error;
      }
    this.port = (http.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#http?.closeAllConnections();
    await new Promise((done) => (this.#http ? this.#http.close(done) : done(undefined)));
  }

  #answer(verb: string, device: string, words: readonly string[]): string {
    const member = this.members.findLast((m) => m.device === device);
    if (verb === 'self') return `ok\n${device}\n`;
    if (verb === 'role') return `ok\n${member?.role ?? ''}\n`;
    if (verb === 'group')
      return `ok\n${this.#groupOf(member)
        .map((m) => `${m.device}\t${m.role}\n`)
        .join('')}`;
    // A test lets a board go on by giving it the role that it asks for.
    if (words[0] === 'go' && member?.role !== 'go') return 'refused not yet\n';
    return 'ok\n';
  }

  #groupOf(member: FakeMember | undefined): FakeMember[] {
    return this.members.filter((m) => m.job === member?.job);
  }

  async keep(contents: readonly Uint8Array[]): Promise<void> {
    for (const content of contents)
      this.kept.set(
        createHash('sha256').update(content).digest('hex'),
        Buffer.from(content).toString('utf8'),
      );
  }

  /** Allocates a group: from now on its steps are owed. */
  allocate(job: number, members: { device: string; role?: string; actions: Action[] }[]): void {
    for (const { device, role = 'peer', actions } of members)
      this.members.push({
        ...{ job, device, role, actions, lease: `lease-${job}`, next: 0, begun: false },
        ...{ booting: false, booted: false, image: undefined, suites: 0, end: undefined },
      });
    this.changed();
  }

  /** Ends a member from outside: cancelled, timed out. */
  end(job: number, device: string, why: string, lines: string[] = []): void {
    const member = this.member(job, device);
    member.end = why;
    this.endedLines.set(`${job}.${device}`, lines);
    this.changed();
  }

  member(job: number, device: string): FakeMember {
    const member = this.members.find((m) => m.job === job && m.device === device);
    if (member === undefined) throw new Error(`no member ${device} in job ${job}`);
    return member;
  }

  of<T extends MemberCommand['type']>(type: T): Extract<MemberCommand, { type: T }>[] {
    return this.reports
      .map(({ command }) => command)
      .filter((c): c is Extract<MemberCommand, { type: T }> => c.type === type);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  async register(boards: readonly BoardRegistration[]): Promise<void> {
    this.registered = boards;
  }

  async owed(): Promise<readonly Owed[]> {
    return this.members
      .filter(({ end }) => end === undefined)
      .map((member) => ({
        job: member.job,
        jobName: `job ${member.job}`,
        device: member.device,
        role: member.role,
        lease: member.lease,
        group: this.#groupOf(member).map(({ device, role }) => ({ device, role })),
        step: this.#stepOf(member),
        ...(member.image !== undefined && { image: member.image }),
        suitesBefore: member.suites,
        booted: member.booted,
      }));
  }

  #stepOf(member: FakeMember): Owed['step'] {
    const action = member.actions[member.next];
    if (action === undefined) return { do: 'nothing' };
    const begun = member.begun || member.booting;
    if (needsShell(action) && !member.booted) return { do: 'boot', begun };
    return { do: 'run', index: member.next, action, begun };
  }

  async ended(job: number, device: string): Promise<Ended | undefined> {
    const member = this.members.find((m) => m.job === job && m.device === device);
    if (member !== undefined && member.end === undefined) return undefined;
    return {
      job,
      device,
      lines: this.endedLines.get(`${job}.${device}`) ?? [`ended: ${member?.end}`],
    };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async report(
    job: number,
    command: MemberCommand,
    by: { key: string; console?: number },
  ): Promise<void> {
    if (this.reportError !== undefined) throw this.reportError;
    if (this.#keys.has(by.key)) return;
    const member = this.members.find((m) => m.job === job && m.device === command.member);
    if (member === undefined || member.end !== undefined) throw new MemberEnded('it has ended');
    this.#keys.add(by.key);
    this.reports.push({ job, command, key: by.key, console: by.console });
    this.#apply(member, command);
    this.changed();
  }

  #apply(member: FakeMember, command: MemberCommand): void {
    if (command.type === 'StartAction') member.begun = true;
    if (command.type === 'StartBoot') member.booting = true;
    if (command.type === 'ConfirmBoot') {
      member.booted = true;
      member.booting = false;
    }
    if (command.type === 'FailMember' || command.type === 'RaiseMember')
      member.end = command.reason;
    if (command.type !== 'EndAction') return;
    const action = member.actions[member.next];
    member.begun = false;
    member.next += 1;
    if (command.outcome === 'failed') member.end = command.reason ?? 'failed';
    else if (action?.command === 'deploy_linaro_image') {
      member.image = action.parameters.image;
      member.booted = false;
    } else if (action?.command === 'lava_test_shell')
      member.suites += action.parameters.definitions.length;
    else if (action?.command === 'lava_command_run') member.suites += 1;
    if (member.end === undefined && member.next >= member.actions.length) member.end = 'complete';
  }

  async access(_job: number, device: string): Promise<{ url: string; token: string }> {
    return { url: `http://${this.host}:${this.port}`, token: `token-${device}` };
  }
}
