/**
 * What happened before what: a member's own events in their order, and from each send to the releases that needed it.
 * Two events that neither comes before are concurrent, whatever the clock says.
 */
import { type Call, counted, type Group, isSend, type Member } from './facts.ts';

export interface Moment {
  /** `undefined`: of the job itself. */
  member: Member | undefined;
  version: number;
}

export type Order = 'before' | 'after' | 'concurrent' | 'same';

/** Of a release: the sends that it needed. */
interface Release {
  version: number;
  call: Call;
}

export class HappensBefore {
  readonly #group: Group;
  readonly #releases = new Map<Member, Release[]>();
  readonly #pasts = new Map<string, ReadonlyMap<Member, number>>();

  constructor(group: Group) {
    this.#group = group;
    for (const member of group.members)
      this.#releases.set(
        member,
        member.calls
          .flatMap((call) =>
            call.end?.how === 'released' ? [{ version: call.end.version, call }] : [],
          )
          .sort((a, b) => a.version - b.version),
      );
  }

  order(a: Moment, b: Moment): Order {
    if (a.version === b.version) return 'same';
    if (this.#isBefore(a, b)) return 'before';
    return this.#isBefore(b, a) ? 'after' : 'concurrent';
  }

  #isBefore(a: Moment, b: Moment): boolean {
    if (a.version >= b.version) return false;
    // The job's own events stand between those of all its members.
    if (a.member === undefined || b.member === undefined) return true;
    return (this.#past(b.member, b.version).get(a.member) ?? 0) >= a.version;
  }

  /** Of each member the last event that came before this one. */
  #past(member: Member, version: number): ReadonlyMap<Member, number> {
    const key = `${member.place} ${version}`;
    const known = this.#pasts.get(key);
    if (known !== undefined) return known;
    const past = new Map<Member, number>();
    const looked = new Map<Member, number>();
    const open: [Member, number][] = [[member, version]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [who, until] = next;
      if ((past.get(who) ?? 0) >= until) continue;
      past.set(who, until);
      const releases = this.#releases.get(who) ?? [];
      for (let at = looked.get(who) ?? 0; at < releases.length; at++) {
        const release = releases[at];
        if (release === undefined || release.version > until) break;
        looked.set(who, at + 1);
        open.push(...this.#needed(release));
      }
    }
    this.#pasts.set(key, past);
    return past;
  }

  #needed({ version, call }: Release): [Member, number][] {
    const by = call.end?.how === 'released' ? call.end.by : undefined;
    const round = call.verb === 'sync' ? call.round : 1;
    const askedFor = new Set(counted(this.#group, call));
    const needed = new Map<Member, number>();
    for (const sent of this.#group.byMessage.get(call.message) ?? []) {
      if (sent.version > version) break;
      if (!isSend(sent) || !askedFor.has(sent.member) || sent.round > round) continue;
      if (call.verb === 'wait' && by !== undefined && sent.member.device !== by) continue;
      needed.set(sent.member, sent.version);
      if (call.verb === 'wait' && by === undefined) break;
    }
    return [...needed];
  }
}
