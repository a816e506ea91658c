/** The call graph of a role: from what it runs, definitions and commands, in order. */
import type { CallGraph, Entry, GraphContext, ReadFile } from './call-graph.ts';
import { runCommand } from './commands.ts';
import { exact } from './patterns.ts';
import { captured, subshell } from './processes.ts';
import { Scope } from './scope.ts';
import { definitionSource, fileSource, quotedSource, type Source } from './source.ts';
import { runAll, runOne } from './statements.ts';
import { Walk } from './walk.ts';

/** How the walk runs what it comes to. */
export const runner = { all: runAll, one: runOne, command: runCommand, captured };

/**
 * Reads what one role (or one member of it) runs. Pure, and never throws: what it cannot resolve is in `unresolved`.
 *
 * @param readFile the files of the checkout, by their paths in it
 */
export function graphOf(
  readFile: ReadFile,
  entry: Entry | readonly Entry[],
  context: GraphContext,
): CallGraph {
  const entries = Array.isArray(entry) ? (entry as readonly Entry[]) : [entry as Entry];
  const walk = new Walk(context, readFile, fileSource('', ''), runner);
  for (const one of entries) {
    walk.files.add(one.file);
    enter(walk, one, context, readFile);
  }
  return {
    role: context.role,
    isOfMember: walk.readsSelf,
    isOfGroup: walk.readsGroup,
    sites: walk.sites,
    reads: walk.reads,
    unresolved: [...walk.unresolved.values()],
    deaths: [...walk.deaths.values()],
    files: [...walk.files],
    program: walk.ops,
    cases: walk.cases,
  };
}

function enter(walk: Walk, entry: Entry, context: GraphContext, readFile: ReadFile): void {
  const { lastWait } = walk.scope;
  walk.scope = new Scope();
  // The file of the last wait stays.
  walk.scope.lastWait = lastWait;
  walk.isDead = false;
  walk.readFile = entry.readFile ?? readFile;
  walk.prefix = entry.prefix ?? '';
  if (entry.missing !== undefined) {
    walk.source = fileSource(entry.file, '');
    walk.open('file', { start: 0, end: 0 }, entry.missing);
    return;
  }
  walk.isBash = true;
  if (entry.kind === 'script') {
    for (const [name, value] of context.parameters) given(walk, name, value);
    walk.isBash = !/^#!\s*\/bin\/sh/.test(entry.text);
    process(walk, fileSource(entry.file, entry.text), entry.errexit ?? false);
  } else if (entry.kind === 'commands') {
    for (const { text, line, column } of entry.commands) {
      const of = {
        ...fileSource(entry.file, ''),
        place: (at: number) => ({ file: entry.file, line, column: column + at }),
        lineText: () => text,
      };
      process(walk, quotedSource(text, of, 0), false);
    }
  } else {
    const definition = definitionSource(entry.file, entry.text);
    if (definition === undefined) {
      walk.source = fileSource(entry.file, entry.text);
      walk.open('file', { start: 0, end: 0 }, entry.file);
      return;
    }
    for (const [name, value] of [
      ...definition.parameters,
      ...context.parameters,
      ...(entry.parameters ?? []),
    ])
      given(walk, name, value);
    process(walk, definition.install, true);
    process(walk, definition.run, true);
  }
}

/** Parameters are exported. */
function given(walk: Walk, name: string, value: string): void {
  walk.scope.vars.set(name, exact(value));
  walk.scope.exported.set(name, true);
}

/** One shell: what it changes is gone behind it, but for files. */
function process(walk: Walk, source: Source, errexit: boolean): void {
  walk.source = source;
  subshell(
    walk,
    () => {
      walk.scope.errexit = errexit;
      for (const span of source.script.broken) walk.open('syntax', span);
      return walk.all(source.script.body);
    },
    'script',
  );
}
