/** Labs of the tests with one board on a serial line, which misbehaves as it is told. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DriverFields, settingsOf } from '../../submission/lab-drivers.ts';
import { commands, type deploy, Lab } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';

const fake = fileURLToPath(new URL('fake-board.sh', import.meta.url));
export const auto_login = {
  ...{ username: 'root', password: 'secret', login_commands: [] },
  ...{ login_prompt: 'login: ?$', password_prompt: 'Password: ?$' },
};

/** Of the test that runs. */
export let lab: Lab;

/** A lab with one board that boots as the words say. */
export async function labOf(
  words: string,
  fields: DriverFields = {},
  limits = { consoleBytes: 4_194_304, bootSeconds: 40 },
): Promise<void> {
  const connect = `exec sh ${fake} ${words}`;
  lab = new Lab(['b1'], { limits: { ...limits, ...SOURCE_LIMITS } });
  await openLab({ ...fields, console: { connect, ...fields.console } });
}

/** A lab of a test's own, with one board on a line. */
export async function openLab(fields: DriverFields, own = lab): Promise<void> {
  lab = own;
  const home = join(lab.folder, 'board');
  mkdirSync(home);
  const settings = settingsOf({
    ...fields,
    console: { power_on: 'true', power_off: 'true', ...fields.console },
    login: { home, ...fields.login },
  });
  lab.given.boards = [
    { name: 'b1', type: 't', tags: [], driver: 'console', image: 'host:', settings },
  ];
  await lab.open();
}

export async function endOf(...actions: ReturnType<typeof deploy>[]): Promise<string | undefined> {
  lab.server.allocate(1, [{ device: 'b1', actions }]);
  return (await lab.ends(1, 200)).b1;
}
export const job = () => endOf(commands('echo "it runs $((1 + 1))"'));
