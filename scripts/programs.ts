/** Before `npm run verify`: the program that it needs and npm does not have, from Debian as root, or named. */
import { ensurePrograms } from '../cli/debian-programs.ts';

const lacking = await ensurePrograms([['shellcheck', 'shellcheck']], (line) =>
  process.stdout.write(`muster verify: ${line}\n`),
);
if (lacking !== undefined) {
  process.stderr.write(`muster verify: the linter of the boards' scripts is missing: ${lacking}\n`);
  process.exitCode = 1;
}
