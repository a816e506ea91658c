/** What the page makes of a board's event is what the server says of the board after it. */
import { describe, expect, it } from 'vitest';
import { deviceView } from '../../api/device-view.ts';
import type { ApiEngine } from '../../api/parts.ts';
import { evolveDevice, initialDevice } from '../../machines/device.ts';
import type { DeviceEvent, RecordedEvent } from '../../machines/events.ts';
import { deviceAfter } from '../../web/lab/device-fold.ts';
import { histories, streamsOf } from './histories.ts';

const engine = { undriven: () => null, now: () => 0 } as unknown as ApiEngine;

describe.each(histories)('every board of %s', (name) => {
  it('is after each event as the server says, or is asked for', () => {
    for (const [stream, events] of streamsOf(name, 'device-')) {
      let state = initialDevice;
      let folded = 0;
      for (const event of events as RecordedEvent<DeviceEvent>[]) {
        const before = deviceView(engine, stream, state);
        state = evolveDevice(state, event);
        const after = deviceAfter(before, event);
        if (after === undefined) continue;
        folded += 1;
        expect(after).toEqual(deviceView(engine, stream, state));
      }
      const jobs = events.filter(({ type }) => type === 'DeviceReserved').length;
      if (state.healthCheck === null) expect(folded).toBeGreaterThanOrEqual(jobs);
    }
  });
});
