/**
 * A board after an event of it, where the event says all there is to say: who has a board changes all the time, and a page
 * that asked for it each time would cost the server more than the jobs do. Pure.
 */
import type { DeviceView, RecordedEvent } from '../api/types.ts';

/** `undefined`: the server has to be asked. */
export function deviceAfter(board: DeviceView, event: RecordedEvent): DeviceView | undefined {
  // When a check is due follows from more than one event.
  if (board.healthCheck !== undefined) return undefined;
  switch (event.type) {
    case 'DeviceReserved':
      return { ...board, state: 'reserved', job: event.data.job };
    case 'DeviceReleased': {
      const { job: _, ...is } = board;
      return { ...is, state: 'idle', idleSince: new Date(event.meta.at).toISOString() };
    }
    case 'DevicePowerSwitched':
      return board;
    default:
      return undefined;
  }
}
