/** `muster devices` and `muster device NAME`, which also says how a board is and takes it out of use and back. */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { DeviceView } from '../../api/schemas.ts';
import {
  type Cli,
  type CommonOptions,
  type Context,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { CliFailure, EXIT } from '../exit.ts';
import { renderDevice, renderDevices } from '../pages/devices-page.ts';
import { hang } from '../pages/text.ts';

const Devices = z.object({ devices: z.array(DeviceView) });

export function devicesCommand(cli: Cli): Command {
  return serverCommand('devices', 'list the boards', ['muster devices']).action(
    (options: CommonOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const list = await client.json('/api/devices', Devices);
        if (options.json) await printJson(io, list);
        else await io.out(renderDevices(list.devices, io));
        return EXIT.ok;
      }),
  );
}

/** What may be ordered of a board, one at a time; each but `online` takes the reason that is recorded. */
const ORDERS = {
  offline: 'give it no new job from now on',
  online: 'give it jobs again',
  good: 'its health is good',
  unknown: 'its health is not known: it is checked first',
  looping: 'check its health over and over, and give it no job',
  maintenance: 'somebody works on it: no job, no check',
  bad: 'it is broken: no job, no check',
  retire: 'take it out for good; no job may have it',
  restore: 'bring a retired board back',
} as const;
type Order = keyof typeof ORDERS;
const orders = Object.keys(ORDERS) as Order[];

const POWERS = ['on', 'off', 'reset'] as const;
/** The lab's commands have limits of their own. */
const POWER_MS_MAX = 86_400_000;

type DeviceOptions = CommonOptions & {
  force?: boolean;
  online?: boolean;
  power?: (typeof POWERS)[number];
} & {
  [order in Exclude<Order, 'online'>]?: string;
};

export function deviceCommand(cli: Cli): Command {
  const command = serverCommand('device', 'show a board, say how it is, take it out of use', [
    'muster device panda01',
    'muster device panda01 --offline "the SD card is worn out"',
    'muster device panda01 --online',
    'muster device panda01 --maintenance "a new fan" --force',
    'muster device panda01 --power reset',
  ]).argument('<name>', "the board's name");
  for (const order of orders) {
    const flag = order === 'online' ? '--online' : `--${order} <reason>`;
    const others = orders.filter((other) => other !== order);
    command.addOption(new Option(flag, ORDERS[order]).conflicts(others));
  }
  const power = new Option('--power <how>', 'switch its power: of a board that no job has');
  return command
    .addOption(power.choices(POWERS).conflicts(orders))
    .addHelpText(
      'after',
      `
--power runs the lab's power_on, power_off or reset (off and on where there is
none), waits for its end, and is recorded. Off when it is off is done. A local
or QEMU board is there only while a job or a console has it, and a machine
behind ssh is always on: they say so.`,
    )
    .option('--force', 'with --maintenance or --bad: fail its part in the job that has it')
    .action((name: string, options: DeviceOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const device = await ordered(client, name, options);
        if (options.power !== undefined) io.err(`${name}: power ${options.power}: done\n`);
        if (options.json) await printJson(io, device);
        else await io.out(renderDevice(device, io));
        const note = jobNote(device, options);
        if (note !== undefined) io.err(hang('', note, io.columns));
        return EXIT.ok;
      }),
    );
}

/** @throws CliFailure `needs-order` (exit 2) */
function ordered(
  client: Context['client'],
  name: string,
  options: DeviceOptions,
): Promise<DeviceView> {
  const { force = false } = options;
  const path = `/api/devices/${encodeURIComponent(name)}`;
  const order = orders.find((each) => options[each] !== undefined);
  if (force && order !== 'maintenance' && order !== 'bad')
    throw new CliFailure({
      code: 'needs-order',
      exit: EXIT.usage,
      message: '--force goes with --maintenance REASON or --bad REASON',
    });
  const { power } = options;
  if (power !== undefined) return client.post(`${path}/power`, DeviceView, { power }, POWER_MS_MAX);
  if (order === undefined) return client.json(path, DeviceView);
  if (order === 'online') return client.post(`${path}/online`, DeviceView);
  const reason = options[order];
  if (order === 'offline' || order === 'retire' || order === 'restore')
    return client.post(`${path}/${order}`, DeviceView, { reason });
  return client.post(`${path}/health`, DeviceView, { health: order, reason, force });
}

/** An operator who takes a board out should know that somebody still has it. */
function jobNote({ name, job }: DeviceView, options: DeviceOptions): string | undefined {
  const { offline, maintenance, bad, force = false } = options;
  const isUnfit = maintenance !== undefined || bad !== undefined;
  if (job === undefined || (offline === undefined && !isUnfit)) return undefined;
  if (force) return `the part of ${name} in job ${job} has failed; it comes back when the job ends`;
  const how = isUnfit ? '; --force fails its part in it at once' : '';
  return `job ${job} keeps ${name} to its end${how}`;
}
