/** All that `--help` says, in one document: what the command line takes is a contract, and a change of it is seen. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { here } from './fake-server.ts';

const COLUMNS = 80;
const REWRITE = 'npx vitest run test/cli/reference.test.ts --update';
const FILE = fileURLToPath(new URL('reference.md', import.meta.url));

/** What a command line prints on its standard output. */
async function printed(...args: string[]): Promise<string> {
  const { exit, out, err } = await here(args, { columns: COLUMNS });
  expect([exit, err]).toEqual([0, '']);
  return out;
}

/** The commands in the order in which the program lists them. */
const commandsIn = (help: string): string[] =>
  [...(help.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}([a-z-]+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');

const section = (title: string, help: string): string =>
  `## ${title}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`;

async function reference(): Promise<string> {
  const help = await printed('--help');
  const sections = [section('muster', help)];
  for (const name of commandsIn(help))
    sections.push(section(`muster ${name}`, await printed(name, '--help')));
  const head = `# The command line\n\nWritten by \`${REWRITE}\` from the program itself. Do not edit.\n`;
  return [head, ...sections].join('\n');
}

test('the reference of the command line is what the program says of itself', async () => {
  await expect(
    await reference(),
    `the command line is not what test/cli/reference.md says; where that is meant, run: ${REWRITE}`,
  ).toMatchFileSnapshot(FILE);
});
