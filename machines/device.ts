/** `device-<name>`: who has the board, and whether it can be had. Sections: machine, state, evolve, decide. */
import { createMachine } from 'xstate';
import type { DeviceCommand } from './commands.ts';
import { Draft, type Env, Rejected } from './deciding.ts';
import type { DeviceEvent, Health, Meta, NewEvent } from './events.ts';
import { all, tableOf } from './table.ts';

// machine

export type DeviceStateName = 'none' | 'idle' | 'reserved' | 'retired';

const anytime = [
  'DeviceRegistered',
  'DeviceWentOffline',
  'DeviceCameOnline',
  'DeviceHealthChanged',
] as const;

/** `registered: idle -> reserved -> idle`, and `retired` for good. Online and health stand beside it. */
export const deviceMachine = createMachine({
  id: 'device',
  initial: 'none',
  states: {
    none: { on: { DeviceRegistered: 'idle' } },
    idle: { on: { ...all(anytime, 'idle'), DeviceReserved: 'reserved', DeviceRetired: 'retired' } },
    reserved: { on: { ...all(anytime, 'reserved'), DeviceReleased: 'idle' } },
    retired: { type: 'final' },
  },
});

export const deviceTable = tableOf<DeviceStateName>(deviceMachine);

// state

export interface DeviceState {
  readonly state: DeviceStateName;
  readonly deviceType: string;
  readonly tags: readonly string[];
  readonly worker: string;
  readonly driver: string;
  /** Why an operator took it offline; `null`: it is online. */
  readonly offline: string | null;
  readonly health: Health;
  readonly heldBy: { readonly job: number; readonly lease: string; readonly until: number } | null;
  /** When it was last given back, or registered; milliseconds since the epoch. */
  readonly idleSince: number;
}

export const initialDevice: DeviceState = {
  state: deviceTable.initial,
  deviceType: '',
  tags: [],
  worker: '',
  driver: '',
  offline: null,
  health: 'unknown',
  heldBy: null,
  idleSince: 0,
};

// evolve

/** @throws IllegalTransition */
export function evolveDevice(
  device: DeviceState,
  event: DeviceEvent & { meta: Pick<Meta, 'at'> },
): DeviceState {
  const state = deviceTable.next(device.state, event.type);
  const at = event.meta.at;
  switch (event.type) {
    case 'DeviceRegistered':
      return { ...device, ...event.data, state, idleSince: device.idleSince || at };
    case 'DeviceReserved':
      return { ...device, state, heldBy: event.data };
    case 'DeviceReleased':
      return { ...device, state, heldBy: null, idleSince: at };
    case 'DeviceWentOffline':
      return { ...device, state, offline: event.data.reason };
    case 'DeviceCameOnline':
      return { ...device, state, offline: null };
    case 'DeviceHealthChanged':
      return { ...device, state, health: event.data.to };
    case 'DeviceRetired':
      return { ...device, state };
  }
}

// decide

/** Decides one command on a device. Only the holder of a lease releases it. */
export function decideDevice(
  command: DeviceCommand,
  state: DeviceState,
  env: Env,
): NewEvent<DeviceEvent>[] | Rejected {
  const draft = new Draft<DeviceState, DeviceEvent>(state, env, evolveDevice);
  if (command.type === 'RegisterDevice') return register(draft, command);
  if (state.state === 'none') return new Rejected('no-such-device', 'there is no such device');
  if (state.state === 'retired') return new Rejected('retired', 'the device is retired');
  switch (command.type) {
    case 'ReserveDevice': {
      const { job, lease, until } = command;
      if (state.heldBy?.lease === lease) break;
      if (state.heldBy !== null) return new Rejected('not-idle', `held by job ${state.heldBy.job}`);
      if (state.offline !== null) return new Rejected('not-idle', `offline: ${state.offline}`);
      draft.emit('DeviceReserved', { job, lease, until });
      break;
    }
    case 'ReleaseDevice':
      if (state.heldBy === null) break;
      if (state.heldBy.lease !== command.lease)
        return new Rejected('not-holder', `held by job ${state.heldBy.job} under another lease`);
      draft.emit('DeviceReleased', {
        job: state.heldBy.job,
        lease: command.lease,
        reason: command.reason,
      });
      break;
    case 'TakeDeviceOffline':
      if (state.offline === null) draft.emit('DeviceWentOffline', { reason: command.reason });
      break;
    case 'BringDeviceOnline':
      if (state.offline !== null) draft.emit('DeviceCameOnline', {});
      break;
    case 'ChangeDeviceHealth':
      if (state.health !== command.to) {
        const { to, reason } = command;
        draft.emit('DeviceHealthChanged', { from: state.health, to, reason });
      }
      break;
    case 'RetireDevice':
      if (state.heldBy !== null) return new Rejected('not-idle', `held by job ${state.heldBy.job}`);
      draft.emit('DeviceRetired', { reason: command.reason });
  }
  return draft.events;
}

function register(
  draft: Draft<DeviceState, DeviceEvent>,
  command: Extract<DeviceCommand, { type: 'RegisterDevice' }>,
): NewEvent<DeviceEvent>[] | Rejected {
  const { deviceType, tags, worker, driver } = command;
  const is = draft.state;
  if (is.state === 'retired') return new Rejected('retired', 'a retired device stays retired');
  const same =
    is.state !== 'none' &&
    is.deviceType === deviceType &&
    is.worker === worker &&
    is.driver === driver &&
    is.tags.length === tags.length &&
    is.tags.every((tag, i) => tag === tags[i]);
  if (!same) draft.emit('DeviceRegistered', { deviceType, tags, worker, driver });
  return draft.events;
}
