/** A job as it was handed in, in whichever form: the form is told by the text, and read by a file of its own. */
import { type ParsedJob, parseJsonJob } from './job-json.ts';
import { type Problem, settle } from './tree.ts';

export type { ParsedJob };

/**
 * Reads a job. Never throws, whatever the text.
 *
 * @returns the normalised job and its warnings, or every problem of the document, in document order.
 */
export function parseJob(text: string): ParsedJob {
  const yaml = upstreamForm(text);
  return yaml === undefined ? parseJsonJob(text) : { problems: [yaml] };
}

const YAML_FIELDS =
  /^(?:job_name|protocols|device_type|timeouts|visibility|priority|metadata|context|actions)[ \t]*:/m;

/** A job in upstream's YAML form, recognised by a field of it at the start of a line outside of any bracket. */
function upstreamForm(text: string): Problem | undefined {
  const start = text.search(/[^\s\uFEFF]/);
  if (start === -1 || '{["'.includes(text.charAt(start))) return undefined;
  const at = text.search(YAML_FIELDS);
  if (at === -1) return undefined;
  const message =
    'this is a job in the YAML form, which this version does not read yet; write it in the JSON form: ' +
    '{ "timeout", "job_name", "device_group", "actions" }';
  const expected = 'a JSON object';
  return settle(text, [{ offset: at, path: [], message, expected }])[0];
}
