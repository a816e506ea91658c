/** `muster devices` and `muster device NAME`, which also takes a board out of use and back. */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { DeviceView } from '../../api/schemas.ts';
import { type Cli, type CommonOptions, printJson, serverCommand, withServer } from '../command.ts';
import { EXIT } from '../failure.ts';
import { renderDevice, renderDevices } from '../render.ts';

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

interface DeviceOptions extends CommonOptions {
  offline?: string;
  online?: boolean;
}

export function deviceCommand(cli: Cli): Command {
  return serverCommand('device', 'show a board, or take it out of use and back', [
    'muster device panda01',
    'muster device panda01 --offline "the SD card is worn out"',
    'muster device panda01 --online',
  ])
    .argument('<name>', "the board's name")
    .addOption(
      new Option('--offline <reason>', 'give it no new job from now on').conflicts('online'),
    )
    .option('--online', 'give it jobs again')
    .action((name: string, options: DeviceOptions) =>
      withServer(cli, options, async ({ io, client }) => {
        const path = `/api/devices/${encodeURIComponent(name)}`;
        const ask = () => {
          if (options.offline !== undefined)
            return client.post(`${path}/offline`, DeviceView, { reason: options.offline });
          if (options.online) return client.post(`${path}/online`, DeviceView);
          return client.json(path, DeviceView);
        };
        const device = await ask();
        if (options.json) await printJson(io, device);
        else await io.out(renderDevice(device, io));
        return EXIT.ok;
      }),
    );
}
