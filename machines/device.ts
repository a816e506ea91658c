/** `device-<name>`: who has the board, and whether it can be had. Sections: machine, state, evolve, decide. */
import { createMachine } from 'xstate';
import type { DeviceCommand } from './commands.ts';
import { Draft, type Env, Rejected } from './deciding.ts';
import type { DeviceEvent, Health, HealthCheck, Meta, NewEvent } from './events.ts';
import { canonical } from './json.ts';
import { all, tableOf } from './table.ts';

// machine

export type DeviceStateName = 'none' | 'idle' | 'reserved' | 'retired';

const anytime = [
  'DeviceRegistered',
  'DeviceWentOffline',
  'DeviceCameOnline',
  'DeviceHealthChanged',
  'DevicePowerSwitched',
] as const;

/** `registered: idle -> reserved -> idle`, `retired` until somebody restores it. Online and health stand beside it. */
export const deviceMachine = createMachine({
  id: 'device',
  initial: 'none',
  states: {
    none: { on: { DeviceRegistered: 'idle' } },
    idle: { on: { ...all(anytime, 'idle'), DeviceReserved: 'reserved', DeviceRetired: 'retired' } },
    reserved: { on: { ...all(anytime, 'reserved'), DeviceReleased: 'idle' } },
    retired: { on: { DeviceRestored: 'idle', DevicePowerSwitched: 'retired' } },
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
  /** Why the health is what it is; `null`: nobody has said anything of it. */
  readonly healthReason: string | null;
  /** The event of this stream that made it so, and when. */
  readonly healthSince: { readonly event: number; readonly at: number } | null;
  /** Why it is retired. */
  readonly retiredReason: string | null;
  /** How many events the stream has had. */
  readonly events: number;
  /** How its health is checked; `null`: it is not. */
  readonly healthCheck: HealthCheck | null;
  /** When the last check that came to a verdict ended; `null`: none has since it was registered. */
  readonly checkedAt: number | null;
  /** How many jobs have had it since then. */
  readonly jobsSinceCheck: number;
  /** How often in a row it was itself at fault for the end of a job: since one completed, or somebody said how it is. */
  readonly faultsInRow: number;
  readonly heldBy: {
    readonly job: number;
    readonly lease: string;
    readonly until: number;
    readonly healthCheck?: true | undefined;
  } | null;
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
  healthReason: null,
  healthSince: null,
  retiredReason: null,
  events: 0,
  healthCheck: null,
  checkedAt: null,
  jobsSinceCheck: 0,
  faultsInRow: 0,
  heldBy: null,
  idleSince: 0,
};

// evolve

/** @throws IllegalTransition */
export function evolveDevice(
  before: DeviceState,
  event: DeviceEvent & { meta: Pick<Meta, 'at'> },
): DeviceState {
  const state = deviceTable.next(before.state, event.type);
  const at = event.meta.at;
  const device = { ...before, events: before.events + 1 };
  const healthSince = { event: device.events, at };
  switch (event.type) {
    case 'DeviceRegistered': {
      const { healthCheck = null, ...is } = event.data;
      return { ...device, ...is, healthCheck, state, idleSince: device.idleSince || at };
    }
    case 'DeviceReserved':
      return { ...device, state, heldBy: event.data };
    case 'DeviceReleased':
      return {
        ...device,
        ...checked(device, event.data, at),
        faultsInRow: faultsAfter(device.faultsInRow, event.data),
        ...{ state, heldBy: null, idleSince: at },
      };
    case 'DeviceWentOffline':
      return { ...device, state, offline: event.data.reason };
    case 'DeviceCameOnline':
      return { ...device, state, offline: null };
    case 'DeviceHealthChanged':
      return {
        ...device,
        state,
        health: event.data.to,
        healthReason: event.data.reason,
        healthSince,
        faultsInRow: event.data.to === 'unknown' ? device.faultsInRow : 0,
      };
    case 'DevicePowerSwitched':
      return { ...device, state };
    case 'DeviceRetired':
      return { ...device, state, retiredReason: event.data.reason };
    case 'DeviceRestored':
      return {
        ...device,
        state,
        health: 'unknown',
        healthReason: event.data.reason,
        healthSince,
        retiredReason: null,
        faultsInRow: 0,
        idleSince: at,
      };
  }
}

type Released = Extract<DeviceEvent, { type: 'DeviceReleased' }>['data'];

/** What a job that is over says of the checks: a check with a verdict starts the count anew. */
function checked(
  device: DeviceState,
  { ended, fault }: Released,
  at: number,
): Pick<DeviceState, 'checkedAt' | 'jobsSinceCheck'> {
  const { checkedAt, jobsSinceCheck, heldBy } = device;
  if (ended === undefined) return { checkedAt, jobsSinceCheck };
  if (heldBy?.healthCheck === undefined) return { checkedAt, jobsSinceCheck: jobsSinceCheck + 1 };
  if (ended === 'cancelled' || fault === 'worker') return { checkedAt, jobsSinceCheck };
  return { checkedAt: at, jobsSinceCheck: 0 };
}

/** A board that cannot boot what the lab gives it, or goes away, so often in a row is not tried any more. */
export const FAULTS_IN_ROW_MAX = 3;

/** A job that fails by nobody's fault may never have come to the boot: it says nothing. */
function faultsAfter(before: number, { ended, fault }: Pick<Released, 'ended' | 'fault'>): number {
  if (fault === 'board') return before + 1;
  return ended === 'complete' ? 0 : before;
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
  if (command.type === 'NotePowerSwitch') {
    const { type: _, ...switched } = command;
    draft.emit('DevicePowerSwitched', switched);
    return draft.events;
  }
  if (command.type === 'RestoreDevice') {
    if (state.state === 'retired') draft.emit('DeviceRestored', { reason: command.reason });
    return draft.events;
  }
  if (state.state === 'retired' && command.type === 'RetireDevice') return draft.events;
  if (state.state === 'retired') return new Rejected('retired', 'the device is retired');
  switch (command.type) {
    case 'ReserveDevice': {
      const { type: _, ...reservation } = command;
      if (state.heldBy?.lease === reservation.lease) break;
      if (state.heldBy !== null) return new Rejected('not-idle', `held by job ${state.heldBy.job}`);
      if (state.offline !== null) return new Rejected('not-idle', `offline: ${state.offline}`);
      if (!isFitFor(state, reservation.healthCheck === true))
        return new Rejected('not-idle', `health ${state.health}: ${unfit(state)}`);
      draft.emit('DeviceReserved', reservation);
      break;
    }
    case 'ReleaseDevice':
      return release(draft, command);
    case 'TakeDeviceOffline':
      if (state.offline !== command.reason)
        draft.emit('DeviceWentOffline', { reason: command.reason });
      break;
    case 'BringDeviceOnline':
      if (state.offline !== null) draft.emit('DeviceCameOnline', {});
      break;
    case 'ChangeDeviceHealth':
      if (state.health !== command.to || state.healthReason !== command.reason) {
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

/**
 * Jobs take a board of good health, or of unknown health where no check could tell it; a board's own health check takes
 * one that is looping too (SEMANTICS 4.2, 4.5).
 */
export function isFitFor(
  { health, healthCheck }: Pick<DeviceState, 'health' | 'healthCheck'>,
  isCheck: boolean,
): boolean {
  if (health === 'unknown') return isCheck || healthCheck === null;
  return health === 'good' || (isCheck && health === 'looping');
}

const unfit = ({ health, healthReason }: DeviceState): string =>
  health === 'unknown' ? 'its health check comes first' : (healthReason ?? '');

function release(
  draft: Draft<DeviceState, DeviceEvent>,
  { lease, reason, ended, fault }: Extract<DeviceCommand, { type: 'ReleaseDevice' }>,
): NewEvent<DeviceEvent>[] | Rejected {
  const { heldBy, health: from, faultsInRow } = draft.state;
  if (heldBy === null) return draft.events;
  const { job } = heldBy;
  if (heldBy.lease !== lease)
    return new Rejected('not-holder', `held by job ${job} under another lease`);
  const cause = draft.emit('DeviceReleased', {
    job,
    lease,
    reason,
    ...(ended !== undefined && { ended }),
    ...(fault !== undefined && { fault }),
  });
  const faults = faultsAfter(faultsInRow, { ended, fault });
  const verdict = healthAfter(from, heldBy.healthCheck === true, { ended, fault, faults });
  if (verdict !== null && verdict.to !== from)
    draft.emit('DeviceHealthChanged', { from, to: verdict.to, reason: verdict.why(job) }, cause);
  return draft.events;
}

/**
 * What the end of a job says of the health of a board that had it (SEMANTICS 4.5): a health check that fails makes
 * it bad, an infrastructure failure makes it unknown, and its own failures in a row bad. What an operator set (looping,
 * maintenance, bad) stays; a check that was cancelled, or whose worker was lost, is no verdict on the board.
 */
function healthAfter(
  from: Health,
  wasCheck: boolean,
  { ended, fault, faults }: Pick<Released, 'ended' | 'fault'> & { faults: number },
): { to: Health; why: (job: number) => string } | null {
  if (ended === undefined || ended === 'cancelled') return null;
  if (from !== 'good' && from !== 'unknown') return null;
  if (wasCheck && fault !== 'worker')
    return ended === 'complete'
      ? { to: 'good', why: (job) => `health check passed in job ${job}` }
      : { to: 'bad', why: (job) => `health check ${ended} in job ${job}` };
  if (fault === undefined) return null;
  if (fault === 'board' && faults >= FAULTS_IN_ROW_MAX)
    return {
      to: 'bad',
      why: (job) => `the board failed ${faults} times in a row, the last time in job ${job}`,
    };
  const what = fault === 'board' ? 'the board failed' : 'its worker was lost';
  return { to: 'unknown', why: (job) => `${what} in job ${job}` };
}

function register(
  draft: Draft<DeviceState, DeviceEvent>,
  command: Extract<DeviceCommand, { type: 'RegisterDevice' }>,
): NewEvent<DeviceEvent>[] | Rejected {
  const { deviceType, tags, worker, driver, healthCheck } = command;
  const is = draft.state;
  if (is.state === 'retired') return new Rejected('retired', 'a retired device stays retired');
  const same =
    is.state !== 'none' &&
    is.deviceType === deviceType &&
    is.worker === worker &&
    is.driver === driver &&
    is.tags.length === tags.length &&
    is.tags.every((tag, i) => tag === tags[i]) &&
    canonical(is.healthCheck) === canonical(healthCheck ?? null);
  if (!same)
    draft.emit('DeviceRegistered', {
      deviceType,
      tags,
      worker,
      driver,
      ...(healthCheck !== undefined && { healthCheck }),
    });
  return draft.events;
}
