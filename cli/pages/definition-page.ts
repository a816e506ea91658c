/** What a test definition would do, in the order in which it would do it. */

import { printable } from '../../submission/quoting.ts';
import type { DefinitionReading, TestDefinition } from '../../submission/test-definition.ts';

const LABEL_COLUMNS = 12;

export interface DefinitionSummary {
  definitions: number;
  wrong: number;
  noted: number;
  /** Files of YAML that are no definitions. */
  passedOver: number;
}

export function definitionSummary(
  checked: readonly DefinitionReading[],
  passedOver: number,
): DefinitionSummary {
  return {
    definitions: checked.length,
    wrong: checked.filter(({ problems }) => problems.length > 0).length,
    noted: checked.filter(({ problems, notes }) => problems.length === 0 && notes.length > 0)
      .length,
    passedOver,
  };
}

/** A block of lines a definition; of one that is wrong, its name alone. */
export function renderDefinition(file: string, { definition }: DefinitionReading): string {
  if (definition === undefined) return `${printable(file)}: cannot be run\n`;
  const blocks: [string, string[]][] = [
    ['parameters', definition.parameters.map(([name, value]) => `${name}=${value}`)],
    ['install', installLines(definition)],
    ['run', definition.steps],
    ['patterns', definition.rules.map(({ pattern }) => pattern)],
    ['results', definition.fixups.map(([word, result]) => `${word} = ${result}`)],
    ['expected', definition.expected],
  ];
  const title = definition.name === undefined ? '' : `: ${definition.name}`;
  const body = blocks.flatMap(([label, texts]) =>
    texts.flatMap((text, index) => lines(index === 0 ? label : '', text)),
  );
  const nothing = definition.steps.length === 0 ? lines('run', '(nothing)') : [];
  return `${[printable(`${file}${title}`), ...body, ...nothing].join('\n')}\n`;
}

function installLines(definition: TestDefinition): string[] {
  const { keys, sources, deps, distributionDeps, repositories, installSteps } = definition;
  return [
    ...keys.map((key) => `key ${key}`),
    ...sources.map((source) => `source ${source}`),
    ...(deps.length === 0 ? [] : [`packages ${deps.join(' ')}`]),
    ...distributionDeps
      .filter(([, packages]) => packages.length > 0)
      .map(([name, packages]) => `packages on ${name} ${packages.join(' ')}`),
    ...repositories.map(({ url, branch, destination }) =>
      [
        `git ${url}`,
        branch === undefined ? '' : ` at ${branch}`,
        destination === undefined ? '' : ` into ${destination}`,
      ].join(''),
    ),
    ...installSteps,
  ];
}

/** A text of several lines keeps them, each under the first. */
function lines(label: string, text: string): string[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, index) => {
      const shown = printable(line.replaceAll('\t', '  '));
      return `  ${(index === 0 ? label : '').padEnd(LABEL_COLUMNS)}${shown}`.trimEnd();
    });
}
