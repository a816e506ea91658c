/** A script that is read, and where each of its characters stands in a file. */
import { charPlaces } from '../scalar-places.ts';
import { readTestDefinition } from '../test-definition.ts';
import { placeIn } from '../tree.ts';
import type { Place } from './call-graph.ts';
import { readScript } from './shell-reader.ts';
import type { Script } from './shell-tree.ts';

export interface Source {
  readonly file: string;
  readonly text: string;
  readonly script: Script;
  place(offset: number): Place;
  lineText(line: number): string;
}

const lines = (text: string) => {
  const all = text.split('\n');
  return (line: number) => (all[line - 1] ?? '').trim();
};

/** A file that is a script as it stands. */
export function fileSource(file: string, text: string): Source {
  const place = placeIn(text);
  return {
    file,
    text,
    script: readScript(text),
    place: (offset) => ({ file, ...place(offset) }),
    lineText: lines(text),
  };
}

/** Command lines that were read lately: the same one stands in many steps, and each member of each role runs them. */
const scripts = new Map<string, Script>();
const SCRIPTS_MAX = 2_000;
const SCRIPT_CHARS_MAX = 2_000;

export function scriptOf(text: string): Script {
  const known = scripts.get(text);
  if (known !== undefined) return known;
  const script = readScript(text);
  if (text.length > SCRIPT_CHARS_MAX) return script;
  if (scripts.size >= SCRIPTS_MAX) scripts.clear();
  scripts.set(text, script);
  return script;
}

/** A text that a script makes when it runs: all of it stands where it is made. */
export function madeSource(text: string, of: Source, at: number): Source {
  return { ...of, text, script: scriptOf(text), place: () => of.place(at) };
}

/** A text that stands in another line by line, with some of its words filled in: a here-document. */
export function linesSource(text: string, of: Source, at: number): Source {
  const inside = placeIn(text);
  // Where the lines of `of` begin from there on, as far as they were asked for.
  const starts = [at];
  const place = (offset: number): Place => {
    const { line, column } = inside(offset);
    while (starts.length < line) {
      const end = of.text.indexOf('\n', starts.at(-1));
      if (end < 0) break;
      starts.push(end + 1);
    }
    const found = of.place(starts[line - 1] ?? starts.at(-1) ?? at);
    return { ...found, column: found.column + column - 1 };
  };
  return { ...of, text, script: scriptOf(text), place };
}

/** A text that stands in quotes in another script. */
export function quotedSource(text: string, of: Source, at: number): Source {
  return { ...of, text, script: scriptOf(text), place: (offset) => of.place(at + offset) };
}

export interface DefinitionSource {
  readonly parameters: readonly (readonly [string, string])[];
  readonly install: Source;
  readonly run: Source;
}

/** The last ones that were read: every role of a job runs the same. */
const lately = new Map<string, { text: string; source: DefinitionSource | undefined }>();
const LATELY_MAX = 20;

/** The steps of a definition: one script, each character with its place in the definition's own file. */
export function definitionSource(file: string, text: string): DefinitionSource | undefined {
  const known = lately.get(file);
  if (known !== undefined && known.text === text) return known.source;
  const source = readSource(file, text);
  if (lately.size >= LATELY_MAX) lately.clear();
  lately.set(file, { text, source });
  return source;
}

function readSource(file: string, text: string): DefinitionSource | undefined {
  const { definition, places } = readTestDefinition(text);
  if (definition === undefined || places === undefined) return undefined;
  const place = placeIn(places.text);
  const lineText = lines(places.text);
  const made = (steps: readonly string[], starts: readonly number[]): Source => {
    let script = '';
    const offsets: { from: number; start: number; text: string; at?: Int32Array }[] = [];
    for (const [index, step] of steps.entries()) {
      offsets.push({ from: script.length, start: starts[index] ?? 0, text: step });
      script += step.endsWith('\n') ? step : `${step}\n`;
    }
    return {
      file,
      text: script,
      script: readScript(script),
      lineText,
      place: (offset) => {
        const step = offsets[lastBelow(offsets, offset)];
        if (step === undefined) return { file, line: 1, column: 1 };
        step.at ??= charPlaces(places.text, step.start, step.text);
        return { file, ...place(step.at[Math.min(offset - step.from, step.text.length)] ?? 0) };
      },
    };
  };
  return {
    parameters: definition.parameters,
    install: made(definition.installSteps, places.installSteps),
    run: made(definition.steps, places.steps),
  };
}

function lastBelow(steps: readonly { from: number }[], offset: number): number {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((steps[middle]?.from ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
