/** The scripts of one suite: `install.sh` and `run.sh`, each one shell with the parameters exported (SEMANTICS 2.3). */

import type { Skippable } from '../machines/definition.ts';
import { isVariable, type TestDefinition } from '../submission/test-definition.ts';
import { shellQuoted } from './programs.ts';

export const skips = (skip: readonly Skippable[], what: Skippable): boolean =>
  skip.includes(what) || skip.includes('all');

type Parameters = readonly (readonly [string, string])[];

/** As scripts see them: the definition's defaults, and over them the job's own. */
export function mergedParameters(...lists: Parameters[]): [string, string][] {
  return [...new Map(lists.flat())];
}

/** The lines with which a script exports the parameters. */
export function exportLines(...lists: Parameters[]): string {
  return mergedParameters(...lists)
    .filter(([name]) => isVariable(name))
    .map(([name, value]) => `export ${name}=${shellQuoted(value)}\n`)
    .join('');
}

/** `run.sh`: parameters, then the steps, one after the other in one shell. */
export function runScript(definition: TestDefinition, own: Parameters): string {
  return exportLines(definition.parameters, own) + lines(definition.steps.map(asUpstream));
}

/**
 * Where the steps stand in a script that ends with them: the line at which each begins, and its line of the definition.
 */
export function stepPlaces(
  script: string,
  steps: readonly string[],
  linesOfFile: readonly number[],
): [number, number][] {
  const counts = steps.map((step) => lineCount(lines([step])));
  let line = lineCount(script) - counts.reduce((sum, count) => sum + count, 0) + 1;
  return steps.map((_, at) => {
    const place: [number, number] = [line, linesOfFile[at] ?? 1];
    line += counts[at] ?? 0;
    return place;
  });
}

const lineCount = (text: string): number => text.split('\n').length - 1;

/**
 * `$1` in a step with `--shell` or `--cmd` is for the command that is run, as in `--shell "ls | awk '{print $1}'"`:
 * upstream escapes it, because the steps themselves have no such parameters. Inside '...' nothing expands anyway.
 */
export function asUpstream(step: string): string {
  if (!step.includes('--shell') && !step.includes('--cmd')) return step;
  let quote = '';
  return step.replace(/\\.|['"]|\$(?=\d+\b)/gs, (found) => {
    if (found === '$') return quote === "'" ? found : '\\$';
    if (found.startsWith('\\')) {
      // Inside '...' a backslash is one, and the quote behind it ends the text.
      if (found === "\\'" && quote === "'") quote = '';
      return found;
    }
    if (quote === '') quote = found;
    else if (quote === found) quote = '';
    return found;
  });
}

/** `install.sh`, or `undefined` when there is nothing to install. */
export function installScript(
  definition: TestDefinition,
  own: Parameters,
  skip: readonly Skippable[] = [],
): string | undefined {
  const { keys, sources, installSteps } = definition;
  const parts = [
    skips(skip, 'keys') ? '' : keys.map((key) => `lava-add-keys ${key}\n`).join(''),
    skips(skip, 'sources')
      ? ''
      : sources.map((source) => `lava-add-sources ${shellQuoted(source)}\n`).join(''),
    skips(skip, 'deps') ? '' : packageLines(definition),
    skips(skip, 'steps') ? '' : lines(installSteps),
  ];
  const body = parts.join('');
  return body === '' ? undefined : exportLines(definition.parameters, own) + body;
}

/** The names of packages as they are written: a board's shell may expand `linux-headers-$(uname -r)`. */
function packageLines({ deps, distributionDeps }: TestDefinition): string {
  const ofDistribution = distributionDeps.filter(([, packages]) => packages.length > 0);
  if (ofDistribution.length === 0)
    return deps.length === 0 ? '' : `lava-install-packages ${deps.join(' ')}\n`;
  const cases = ofDistribution.map(
    ([distribution, packages]) =>
      `${shellQuoted(distribution)}) set -- "$@" ${packages.join(' ')} ;;\n`,
  );
  return (
    'muster_distribution=$(ID=; [ ! -r /etc/os-release ] || . /etc/os-release; printf %s "$ID")\n' +
    `set -- ${deps.join(' ')}\n` +
    `case $muster_distribution in\n${cases.join('')}` +
    '*) echo "muster: no deps of this board\'s own distribution ($muster_distribution) are listed" ;;\n' +
    'esac\n' +
    '[ $# -eq 0 ] || lava-install-packages "$@"\n' +
    'set --\n'
  );
}

const lines = (steps: readonly string[]): string =>
  steps.map((step) => (step.endsWith('\n') ? step : `${step}\n`)).join('');
