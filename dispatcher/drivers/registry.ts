/** The kinds of boards that a worker can drive: a kind's name in the lab's file, and how its driver is opened. */
import { type BridgeWish, networkOf } from './bridge.ts';
import { openConsoleDriver } from './console/console.ts';
import type { OpenDriver } from './driver.ts';
import { type LocalOptions, openLocalDriver } from './local/local.ts';
import { namespacesLack } from './local/namespace-housing.ts';
import { openQemuDriver, qemuLack } from './qemu/qemu.ts';
import { openSshDriver } from './ssh/ssh.ts';

export type Registry = ReadonlyMap<string, OpenDriver>;

/** What the lab says to several kinds, and to each kind alone. */
export interface DriverOptions {
  bridge: BridgeWish;
  local: Omit<LocalOptions, 'network'>;
}

/** The first kind is that of boards whose kind nobody knows any more. */
export function registry({ bridge, local }: DriverOptions): Registry {
  const network = networkOf(bridge);
  return new Map<string, OpenDriver>([
    ['local', (context) => openLocalDriver(context, { ...local, network })],
    ['console', openConsoleDriver],
    ['ssh', openSshDriver],
    ['qemu', (context) => openQemuDriver(context, { network })],
  ]);
}

/** What this machine lacks for boards of its own, in words; `undefined`: nothing. `folder`: for what is tried out. */
export const lacksOf = async (
  folder: string,
): Promise<Record<'local' | 'qemu', string | undefined>> => ({
  local: await namespacesLack(folder),
  qemu: await qemuLack(),
});
