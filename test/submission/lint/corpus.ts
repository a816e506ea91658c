/** Definitions with what lint has to say of them: a head, and the files, the definition first. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LintReport } from '../../../submission/lint/findings.ts';
import { lintDefinition } from '../../../submission/lint/lint-definition.ts';

const DIR = join(import.meta.dirname, '../../corpus/lint');

export interface Case {
  name: string;
  verdict: string;
  /** `json`: a wait counts the others; `yaml`: all. */
  form: string;
  roles: { role: string; count: number }[];
  /** `rule file:line`: an error has to be there, or a note (`unknown`), and no other error. */
  findings: string[];
  /** Rules that may warn. */
  warnings: string[];
  files: Map<string, string>;
}

export const cases = (): Case[] =>
  readdirSync(DIR)
    .filter((name) => name.endsWith('.txt'))
    .map((name) => caseOf(name.slice(0, -4), readFileSync(join(DIR, name), 'utf8')));

function caseOf(name: string, text: string): Case {
  const [head = '', ...parts] = text.split(/^---- /m);
  const said = (key: string) =>
    [...head.matchAll(new RegExp(`^${key}: (.*)$`, 'gm'))].map(([, value = '']) => value.trim());
  const files = new Map<string, string>();
  for (const part of parts) {
    const end = part.indexOf('\n');
    files.set(part.slice(0, end).trim(), part.slice(end + 1));
  }
  const [roles = ''] = said('roles');
  return {
    name,
    verdict: said('verdict')[0] ?? '',
    form: said('form')[0] ?? 'json',
    roles: roles.split(/,\s*/).map((word) => {
      const [role = '', count = '1'] = word.split(':');
      return { role, count: Number(count) };
    }),
    findings: said('finding'),
    warnings: said('warnings').flatMap((words) => words.split(/,\s*/)),
    files,
  };
}

export function lintCase({ files, roles, form }: Case): LintReport {
  const [definition = ''] = files.keys();
  return lintDefinition({
    file: definition,
    text: files.get(definition) ?? '',
    readFile: (path) => files.get(path),
    files: [...files.keys()],
    roles,
    countsSelf: form === 'yaml',
  });
}
