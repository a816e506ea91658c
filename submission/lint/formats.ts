/** What lint found, for people, for programs, for SARIF viewers and for GitHub's annotations. */
import { withSecretsCovered } from '../addresses.ts';
import { printable } from '../quoting.ts';
import { type Finding, type LintReport, rules } from './findings.ts';

export const FORMATS = ['text', 'json', 'sarif', 'github'] as const;
export type Format = (typeof FORMATS)[number];

export function formatReport(report: LintReport, format: Format): string {
  switch (format) {
    case 'text':
      return asText(report);
    case 'json':
      return `${JSON.stringify(asJson(report), null, 2)}\n`;
    case 'sarif':
      return `${JSON.stringify(asSarif(report), null, 2)}\n`;
    case 'github':
      return report.findings.map(asAnnotation).join('');
  }
}

const clean = (text: string): string => printable(withSecretsCovered(text));

function asText(report: LintReport): string {
  const blocks = report.findings.map((one) => {
    const where = `${clean(one.file)}:${one.line}:${one.column}`;
    const lines = [`${where}  ${one.severity}: ${clean(one.message)} [${one.rule}]`];
    if (one.hint !== undefined) lines.push(`    ${clean(one.hint)}`);
    for (const other of one.related.slice(0, 5))
      lines.push(`    ${clean(other.file)}:${other.line}: ${clean(other.message)}`);
    return `${lines.join('\n')}\n`;
  });
  return `${blocks.join('')}${summary(report)}\n`;
}

export function summary({ findings, verdict, ignored }: LintReport): string {
  const count = (severity: Finding['severity'], word: string) => {
    const n = findings.filter((one) => one.severity === severity).length;
    return n === 0 ? [] : [`${n} ${word}${n === 1 ? '' : 's'}`];
  };
  const counts = [
    ...count('error', 'error'),
    ...count('warning', 'warning'),
    ...count('note', 'note'),
    ...(ignored === 0 ? [] : [`${ignored} ignored`]),
  ];
  return `${verdict}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`;
}

function asJson({ findings, verdict, ignored, files }: LintReport) {
  return { verdict, findings, ignored, files };
}

const LEVELS = { error: 'error', warning: 'warning', note: 'note' } as const;

function asSarif({ findings }: LintReport) {
  const place = ({ file, line, column }: { file: string; line: number; column: number }) => ({
    physicalLocation: {
      artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/') },
      region: { startLine: line, startColumn: column },
    },
  });
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'muster lint',
            rules: rules.map(({ id, title, page, severity }) => ({
              id,
              shortDescription: { text: title },
              fullDescription: { text: page },
              defaultConfiguration: { level: LEVELS[severity] },
            })),
          },
        },
        results: findings.map((one) => ({
          ruleId: one.rule,
          level: LEVELS[one.severity],
          message: { text: one.hint === undefined ? one.message : `${one.message} (${one.hint})` },
          locations: [place(one)],
          relatedLocations: one.related.map((other, id) => ({
            id,
            ...place(other),
            message: { text: other.message },
          })),
        })),
      },
    ],
  };
}

function asAnnotation(one: Finding): string {
  const data = (text: string) =>
    text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const level = one.severity === 'note' ? 'notice' : one.severity;
  const where = `file=${property(one.file)},line=${one.line},col=${one.column},title=${property(one.rule)}`;
  return `::${level} ${where}::${data(one.message)}\n`;
}
