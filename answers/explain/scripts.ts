/** What the scripts of a member say that it could call: by their text, where it was kept. */
import type { RanSource } from '../evidence.ts';
import { branchOf, type Place, type Script } from '../places.ts';
import { matched, type Site } from '../shell-sites.ts';
import type { Member } from './facts.ts';
import { rolesOf, type Situation } from './situation.ts';

export interface MemberSite {
  readonly member: Member;
  readonly source: RanSource;
  readonly script: Script;
  readonly site: Site;
}

/** Every line of a member's scripts that speaks of one of these verbs, but for those of other roles' branches. */
export function sitesOfMember(
  { places, group }: Situation,
  member: Member,
  verbs: readonly string[],
): MemberSite[] {
  const roles = rolesOf(group);
  return places.suitesOf(member.device).flatMap((source) =>
    places.scripts(source).flatMap((script) =>
      script.sites
        .filter(({ verb }) => verbs.includes(verb))
        .filter(({ line }) => branchOf(script, line, member.role, roles) !== -1)
        .map((site) => ({ member, source, script, site })),
    ),
  );
}

/** The lines with which a member could have sent an id. Those that only the shell knows count when they say a part of it. */
export function sendersOf(situation: Situation, member: Member, id: string): MemberSite[] {
  return sitesOfMember(situation, member, ['send', 'sync']).filter(({ site }) => {
    const [word] = site.words;
    return word !== undefined && matched(word, id) !== undefined && hasLiteral(word);
  });
}

const hasLiteral = (word: readonly string[]): boolean => word.some((part) => part.length > 1);

/** Ids that lines send, as they stand there; none of those that are built at run time. */
export const sentLiterals = (situation: Situation, member: Member): Map<string, MemberSite> =>
  new Map(
    sitesOfMember(situation, member, ['send', 'sync']).flatMap((one) => {
      const [word] = one.site.words;
      return word?.length === 1 ? [[word[0] ?? '', one] as const] : [];
    }),
  );

export const placeOfSite = ({ places }: Situation, { source, script, site }: MemberSite): Place =>
  places.place(source, script, site.line);

/** How often a word stands in the texts of all suites. */
export function mentions({ places, group }: Situation, word: string): number {
  const seen = new Set<string>();
  let count = 0;
  for (const member of group.members)
    for (const source of places.suitesOf(member.device))
      for (const script of places.scripts(source)) {
        const key = `${script.path}\n${script.text}`;
        if (seen.has(key) || word === '') continue;
        seen.add(key);
        count += script.text.split(word).length - 1;
      }
  return count;
}
