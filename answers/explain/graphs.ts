/** What each member could call, read from its scripts as it ran them: with its role, its parameters and its place in the group. */

import type { CallGraph, CallSite, GraphContext } from '../../submission/lint/call-graph.ts';
import { graphOf } from '../../submission/lint/graph.ts';
import { couldBe, type Pattern, partsOf } from '../../submission/lint/patterns.ts';
import type { RanSource } from '../evidence.ts';
import type { Place, Places } from '../places.ts';
import { matched } from '../shell-sites.ts';
import { type Course, type CourseEntry, courseOf } from './course.ts';
import type { Call, Group, Member } from './facts.ts';

export class Graphs {
  readonly #group: Group;
  readonly #places: Places;
  readonly #commands: ReadonlyMap<string, readonly string[]>;
  readonly #known = new Map<Member, CallGraph | undefined>();
  readonly #courses = new Map<string, Course | undefined>();

  constructor(group: Group, places: Places, commands: ReadonlyMap<string, readonly string[]>) {
    this.#group = group;
    this.#places = places;
    this.#commands = commands;
  }

  /** `undefined`: nothing was kept of what it ran. */
  of(member: Member): CallGraph | undefined {
    if (!this.#known.has(member)) this.#known.set(member, this.#read(member));
    return this.#known.get(member);
  }

  #read(member: Member): CallGraph | undefined {
    const entries = this.#places
      .suitesOf(member.device)
      .flatMap((source) => this.#entryOf(member, source) ?? []);
    return entries.length === 0
      ? undefined
      : graphOf(() => undefined, entries, this.#contextOf(member));
  }

  /** What a script of a suite came to, command by command; `undefined`: it was not kept. */
  courseOf(member: Member, suite: string, script: 'install.sh' | 'run.sh'): Course | undefined {
    const key = `${member.device} ${suite} ${script}`;
    if (!this.#courses.has(key)) {
      const source = this.#places.suitesOf(member.device).find((one) => one.suite === suite);
      const entry = source === undefined ? undefined : this.#entryOf(member, source);
      const course =
        entry === undefined ? undefined : courseOf(entry, this.#contextOf(member), script);
      this.#courses.set(key, course);
    }
    return this.#courses.get(key);
  }

  /**
   * Whether a line of the member sends an id, or a part of it that stands there. Of scripts in other languages it is not known
   * which of their lines it comes to.
   */
  couldSend(member: Member, message: string): boolean {
    const graph = this.of(member);
    const isSend = (verb: string) => verb === 'send' || verb === 'sync';
    const says = graph?.sites.some(
      ({ verb, id }) => isSend(verb) && (certainty(id, message) ?? 0) > 0,
    );
    if (graph === undefined || says === true) return says === true;
    const files = new Set(
      graph.unresolved.filter(({ what }) => what === 'shell').map((one) => one.text),
    );
    return this.#places.suitesOf(member.device).some((source) =>
      this.#places
        .scripts(source)
        .filter(({ path }) => files.has(path))
        .some(({ sites }) =>
          sites.some(
            ({ verb, words: [id] }) =>
              isSend(verb) && id !== undefined && (matched(id, message) ?? 0) > 0,
          ),
        ),
    );
  }

  #contextOf(member: Member): GraphContext {
    const { members } = this.#group;
    // Each by its own name: which board somebody is, and who else is there, is known by now.
    const roles = members.map(({ role, device }) => ({ role, count: 1, device }));
    const same = members.filter(({ role }) => role === member.role);
    return { role: member.role, roles, member: same.indexOf(member), parameters: [] };
  }

  #entryOf(member: Member, source: RanSource): CourseEntry | undefined {
    const commands = this.#commands.get(`${member.device} ${source.suite}`);
    if (commands !== undefined) {
      const lines = commands.map((text, at) => ({ text, line: at + 1, column: 1 }));
      return { kind: 'commands', file: '', commands: lines };
    }
    const { list } = source;
    const textOf = (path: string) => {
      const file = list?.files.find((one) => one.path === path);
      if (file === undefined) return undefined;
      return file.notKept === undefined ? source.text(file.digest) : null;
    };
    const text = list?.definition === undefined ? undefined : textOf(list.definition);
    if (list?.definition === undefined || typeof text !== 'string') return undefined;
    const prepared = member.suites.find(({ name }) => name === source.suite)?.prepared;
    return {
      kind: 'definition',
      file: list.definition,
      text,
      readFile: textOf,
      paths: (list?.files ?? []).map(({ path }) => path),
      ...(prepared !== undefined && { parameters: prepared.parameters }),
    };
  }
}

/** How many characters of an id a pattern says for certain; `undefined`: it cannot be that id. */
export function certainty(pattern: Pattern, id: string): number | undefined {
  if (!couldBe(pattern, id)) return undefined;
  if (pattern.kind === 'exact') return id.length + 1;
  return partsOf(pattern).reduce(
    (sum, part) => sum + (typeof part === 'string' ? part.length : 0),
    0,
  );
}

/** The lines of a graph that can have made a call, the surest alone. */
export function sitesOfCall(graph: CallGraph, call: Call): CallSite[] {
  const fits = graph.sites.flatMap((site) => {
    if (site.verb !== call.verb) return [];
    const sure = certainty(site.id, call.message);
    return sure === undefined ? [] : [{ site, sure }];
  });
  const most = Math.max(...fits.map(({ sure }) => sure));
  return fits.filter(({ sure }) => sure === most).map(({ site }) => site);
}

/** A command that is handed on as words (`run "lava-send go"`) is made where it is written. */
const saysVerb = (text: string, { verb, lineText }: CallSite): boolean =>
  text.includes(`lava-${verb}`) && !lineText.includes(`lava-${verb}`);

/** The line of a call, where the text of its script alone leaves a choice, or names one that its member never comes to. */
export function surest(found: Place | undefined, sites: readonly CallSite[]): Place | undefined {
  const [first] = sites;
  if (first === undefined) return found;
  const isIt = (site: CallSite) => site.file === found?.file && site.line === found.line;
  if (found !== undefined && sites.some(isIt)) return found;
  const site = sites.find(({ file }) => file === found?.file) ?? first;
  // A step of several lines, or a shell that knows more than its reader: what the board said counts.
  if (found !== undefined && (site.file !== found.file || saysVerb(found.text, site))) return found;
  // A script that is written here runs elsewhere: whoever runs it names the id.
  const { id } = site;
  const names = (text: string) => id.kind === 'exact' && id.text !== '' && text.includes(id.text);
  if (found !== undefined && names(found.text) && !names(site.lineText)) return found;
  return { suite: found?.suite ?? '', file: site.file, line: site.line, text: site.lineText };
}
