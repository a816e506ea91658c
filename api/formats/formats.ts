/** The forms in which the results of a job can be had, with what HTTP calls them. */
import type { JobResults } from './by-suite.ts';
import { csv } from './csv.ts';
import { junit } from './junit.ts';
import { tap } from './tap.ts';
import { yaml } from './yaml.ts';

interface Format {
  mediaType: string;
  /** Of the name that a download gets. */
  extension: string;
  write(results: JobResults): string;
}

/** Beside JSON. There is no registered type for TAP, and of JUnit's documents none that says more than XML. */
export const resultFormats = {
  junit: { mediaType: 'application/xml', extension: 'xml', write: junit },
  tap: { mediaType: 'text/x-tap', extension: 'tap', write: tap },
  csv: { mediaType: 'text/csv', extension: 'csv', write: csv },
  yaml: { mediaType: 'application/yaml', extension: 'yaml', write: yaml },
} as const satisfies Record<string, Format>;

export type ResultFormat = keyof typeof resultFormats;
export const RESULT_FORMATS = Object.keys(resultFormats) as ResultFormat[];
