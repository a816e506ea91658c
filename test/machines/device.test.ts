/** A board's possession and health: only the holder of a lease releases it. */
import { describe, expect, it } from 'vitest';
import type { DeviceCommand } from '../../machines/commands.ts';
import { decideDevice, evolveDevice, initialDevice } from '../../machines/device.ts';
import { givenOf, later, START } from './spec.ts';

const given = givenOf({ initial: initialDevice, evolve: evolveDevice, decide: decideDevice });

const facts = { deviceType: 'panda', tags: ['usb', 'hdmi'], worker: 'w1', driver: 'local' };
const registered: DeviceCommand = { type: 'RegisterDevice', ...facts };
const reserve = (lease = 'lease-1', job = 7): DeviceCommand => ({
  type: 'ReserveDevice',
  job,
  lease,
  until: START + 30_000,
});
const release = (lease = 'lease-1'): DeviceCommand => ({
  type: 'ReleaseDevice',
  lease,
  reason: 'the job has ended',
});
const offline: DeviceCommand = { type: 'TakeDeviceOffline', reason: 'new cable' };
const online: DeviceCommand = { type: 'BringDeviceOnline' };
const retired: DeviceCommand = { type: 'RetireDevice', reason: 'broken' };
const restored: DeviceCommand = { type: 'RestoreDevice', reason: 'repaired' };
const sick: DeviceCommand = { type: 'ChangeDeviceHealth', to: 'bad', reason: 'health check' };

describe('registering a board', () => {
  it('makes it idle, online and of unknown health', () => {
    const device = given().when(registered).gives(['DeviceRegistered', facts]);
    expect(device).toMatchObject({
      state: 'idle',
      offline: null,
      health: 'unknown',
      idleSince: START,
    });
  });

  it('again with the same facts changes nothing', () => {
    given(registered).when(registered).changesNothing();
  });

  it.each([
    ['deviceType', { deviceType: 'beagle' }],
    ['tags', { tags: ['usb'] }],
    ['the order of its tags', { tags: ['hdmi', 'usb'] }],
    ['worker', { worker: 'w2' }],
    ['driver', { driver: 'qemu' }],
  ])(
    'again with another %s is recorded, and keeps who holds it and how long it was idle',
    (_, over) => {
      const device = given(registered, reserve(), later(60))
        .when({ ...registered, ...over } as DeviceCommand)
        .gives(['DeviceRegistered', over]);
      expect(device).toMatchObject({
        state: 'reserved',
        heldBy: { lease: 'lease-1' },
        idleSince: START,
      });
    },
  );
});

describe('a reservation', () => {
  it('is for one job under one lease, until a time', () => {
    const device = given(registered)
      .when(reserve())
      .gives(['DeviceReserved', { job: 7, lease: 'lease-1', until: START + 30_000 }]);
    expect(device.state).toBe('reserved');
  });

  it('under the same lease again changes nothing', () => {
    given(registered, reserve()).when(reserve()).changesNothing();
  });

  it('of a board that another lease holds is refused: no board is in two groups', () => {
    given(registered, reserve()).when(reserve('lease-2', 8)).rejectsWith('not-idle', /job 7/);
    given(registered, reserve()).when(reserve('lease-2', 7)).rejectsWith('not-idle');
  });

  it('of a board that is offline is refused, and says why it is', () => {
    given(registered, offline)
      .when(reserve())
      .rejectsWith('not-idle', /new cable/);
  });

  it('of a board that came back online is taken', () => {
    given(registered, offline, online).when(reserve()).gives(['DeviceReserved']);
  });
});

describe('a release', () => {
  it('by the holder makes the board idle from now on', () => {
    const device = given(registered, reserve(), later(60))
      .when(release())
      .gives(['DeviceReleased', { job: 7, lease: 'lease-1' }]);
    expect(device).toMatchObject({ state: 'idle', heldBy: null, idleSince: START + 60_000 });
  });

  it('by anybody else is refused', () => {
    given(registered, reserve()).when(release('lease-2')).rejectsWith('not-holder');
  });

  it('of an idle board changes nothing: it was released before', () => {
    given(registered, reserve(), release()).when(release()).changesNothing();
  });
});

describe('online and health stand beside possession', () => {
  it('a reserved board may be taken offline and stays reserved', () => {
    const device = given(registered, reserve()).when(offline).gives(['DeviceWentOffline']);
    expect(device).toMatchObject({ state: 'reserved', offline: 'new cable' });
  });

  it('already so changes nothing', () => {
    given(registered, offline).when(offline).changesNothing();
    given(registered).when(online).changesNothing();
    given(registered, sick).when(sick).changesNothing();
  });

  it('already so for another reason records the reason', () => {
    const offlineWhy = { ...offline, reason: 'new power supply' };
    given(registered, offline)
      .when(offlineWhy)
      .gives(['DeviceWentOffline', { reason: offlineWhy.reason }]);
    const { to } = sick;
    const device = given(registered, sick)
      .when({ ...sick, reason: 'no, it is the fan' })
      .gives(['DeviceHealthChanged', { from: to, to, reason: 'no, it is the fan' }]);
    expect(device.healthReason).toBe('no, it is the fan');
  });

  it('a change of health records from what to what', () => {
    given(registered)
      .when(sick)
      .gives(['DeviceHealthChanged', { from: 'unknown', to: 'bad' }]);
  });
});

describe('the power of a board', () => {
  const off = { type: 'NotePowerSwitch', power: 'off', outcome: 'done' } as const;
  const reason = 'the outlet does not answer';

  it('is recorded each time that it was switched, and changes nothing else', () => {
    const before = given(registered).when(reserve()).gives(['DeviceReserved']);
    const data = { power: 'off', outcome: 'done' } as const;
    const after = given(registered, reserve()).when(off).gives(['DevicePowerSwitched', data]);
    expect({ ...after, events: 0 }).toEqual({ ...before, events: 0 });
    given(registered, off).when(off).gives(['DevicePowerSwitched', data]);
  });

  it('is recorded with the reason where it could not be switched, of a retired board too', () => {
    const failed: DeviceCommand = { ...off, power: 'on', outcome: 'failed', reason };
    given(registered, retired)
      .when(failed)
      .gives(['DevicePowerSwitched', { power: 'on', outcome: 'failed', reason }]);
    given().when(off).rejectsWith('no-such-device');
  });
});

describe('a retired board', () => {
  it('is refused to everything but its restoration', () => {
    for (const command of [registered, reserve(), release(), offline, online, sick])
      given(registered, retired).when(command).rejectsWith('retired');
  });

  it('is retired once', () => {
    given(registered, retired).when(retired).changesNothing();
  });

  it('that is restored is idle from now on, and nothing is known of its health', () => {
    const device = given(registered, sick, retired, later(60))
      .when(restored)
      .gives(['DeviceRestored', { reason: 'repaired' }]);
    expect(device).toMatchObject({
      state: 'idle',
      health: 'unknown',
      healthReason: 'repaired',
      idleSince: START + 60_000,
    });
    given(registered, retired, restored).when(reserve()).gives(['DeviceReserved']);
  });

  it('was not retired: to restore it changes nothing', () => {
    given(registered).when(restored).changesNothing();
    given(registered, reserve()).when(restored).changesNothing();
    given(registered, retired, restored).when(restored).changesNothing();
  });

  it('cannot be retired while a job holds it', () => {
    given(registered, reserve()).when(retired).rejectsWith('not-idle');
  });
});

describe('a board that was never registered', () => {
  it('is not there for any other command', () => {
    for (const command of [reserve(), release(), offline, online, sick, retired, restored])
      given().when(command).rejectsWith('no-such-device');
  });
});
