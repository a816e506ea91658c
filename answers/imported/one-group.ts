/** Several logs of one group as one: whose members they are of, and whose clock each goes by. */
import {
  type GroupLog,
  LogRefused,
  type MemberLog,
  type Observed,
  type ReadLog,
} from './observed.ts';

export interface OneGroup {
  readonly name: string | undefined;
  /** In the order in which they are told: by role as it is first named, then by name. */
  readonly members: readonly { readonly name: string; readonly role: string | undefined }[];
  /** Of those of which a log is here. */
  readonly logs: ReadonlyMap<string, MemberLog>;
  /** What is unknown, in sentences. */
  readonly notes: readonly string[];
}

/** @throws LogRefused: they are of several groups, or of several jobs of one name */
export function oneGroup(logs: readonly ReadLog[], wanted: string | undefined): OneGroup {
  const name = nameOf(logs, wanted);
  const isWanted = (group: GroupLog) => name === undefined || (group.name ?? name) === name;
  const groups = logs.flatMap((log) =>
    log.groups.filter(isWanted).map((group) => ({ ...group, kind: log.kind, file: log.file })),
  );
  const own = new Map<string, MemberLog>();
  for (const { members, file } of groups.filter(({ kind }) => kind === 'job'))
    for (const member of members) {
      if (own.has(member.name))
        throw new LogRefused(`${file}: a log of job ${member.name} is among the others already`);
      own.set(member.name, member);
    }
  const notes = logs.flatMap((log) => log.notes);
  if (name === undefined && own.size > 1) notes.push('whether these logs are of one group');
  const all = new Map(own);
  for (const { members } of groups.filter(({ kind }) => kind === 'coordinator'))
    for (const member of members)
      if (!own.has(member.name)) all.set(member.name, shifted(member, offset(members, own)));
  const roles = rolesOf(groups);
  const size = Math.max(0, ...groups.map((group) => group.size ?? 0));
  const isSilent = [...all.values()].every(({ observed }) => observed.length === 0);
  if (isSilent) throw new LogRefused('nobody in them calls the MultiNode API');
  const silent = [...roles.keys()].filter((member) => !all.has(member));
  if (silent.length > 0)
    notes.push(
      `what ${silent.join(', ')} did: no log of ${silent.length > 1 ? 'them' : 'it'} is here`,
    );
  if (size > roles.size)
    notes.push(`${size - roles.size} of the ${size} members of the group: no log names them`);
  const unnamed = [...roles].filter(([, role]) => role === undefined).map(([member]) => member);
  if (unnamed.length > 0)
    notes.push(`the role of ${unnamed.join(', ')}: it stands as ${UNKNOWN_ROLE}`);
  return { name, members: inOrder(roles), logs: all, notes };
}

/** What stands for a role that no log says. */
export const UNKNOWN_ROLE = 'unknown';

function nameOf(logs: readonly ReadLog[], wanted: string | undefined): string | undefined {
  const of = (kind: ReadLog['kind']) => [
    ...new Set(
      logs
        .filter((log) => log.kind === kind)
        .flatMap(({ groups }) => groups.flatMap(({ name }) => name ?? [])),
    ),
  ];
  const [jobs, coordinators] = [of('job'), of('coordinator')];
  if (wanted !== undefined) {
    if ([...jobs, ...coordinators].includes(wanted)) return wanted;
    throw new LogRefused(
      `there is no group ${wanted} in them; there is ${[...new Set([...jobs, ...coordinators])].join(', ')}`,
    );
  }
  const [first, ...others] = jobs.length > 0 ? jobs : coordinators;
  if (others.length === 0) return first;
  const files = logs.map(
    ({ file, groups }) => `${file}: ${groups.map((group) => group.name).join(', ')}`,
  );
  throw new LogRefused(`they are of several groups, say which by --group: ${files.join('; ')}`);
}

function rolesOf(groups: readonly GroupLog[]): Map<string, string | undefined> {
  const roles = new Map<string, string | undefined>();
  for (const group of groups)
    for (const [member, role] of group.roles) roles.set(member, role ?? roles.get(member));
  return roles;
}

function inOrder(roles: ReadonlyMap<string, string | undefined>): OneGroup['members'] {
  const order = [...new Set(roles.values())];
  const number = new Intl.Collator('en', { numeric: true });
  return [...roles]
    .map(([name, role]) => ({ name, role }))
    .sort(
      (a, b) => order.indexOf(a.role) - order.indexOf(b.role) || number.compare(a.name, b.name),
    );
}

// clocks

/** How far the coordinator's clock is behind those of the jobs' logs: by the calls that both tell. 0: they tell none. */
function offset(members: readonly MemberLog[], own: ReadonlyMap<string, MemberLog>): number {
  const apart = members.flatMap(({ name, observed }) => {
    const [theirs, ours] = [timesOf(observed), timesOf(own.get(name)?.observed ?? [])];
    return [...theirs].flatMap(([call, at]) => {
      const here = ours.get(call);
      return here === undefined ? [] : [here - at];
    });
  });
  apart.sort((a, b) => a - b);
  return apart[apart.length >> 1] ?? 0;
}

/** Of each call, by what it is and which of those it is: when it was. */
function timesOf(observed: readonly Observed[]): Map<string, number> {
  const times = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const is of observed) {
    if (is.did !== 'call') continue;
    const call = `${is.verb} ${is.message}`;
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    times.set(`${call} ${nth}`, is.at);
  }
  return times;
}

const shifted = (member: MemberLog, by: number): MemberLog => ({
  ...member,
  observed: member.observed.map((is) => ({ ...is, at: is.at + by })),
});
