/** The kinds of boards that a worker can drive: a kind's name in the lab's file, and how its driver is opened. */
import { type BridgeWish, networkOf } from './bridge.ts';
import { openConsoleDriver } from './console/console.ts';
import type { OpenDriver } from './driver.ts';
import { type LocalOptions, openLocalDriver } from './local/local.ts';
import { openQemuDriver } from './qemu/qemu.ts';
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
