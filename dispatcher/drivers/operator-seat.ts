/** A board in the hands of an operator, as the drivers have it: a seat without a job, and its power between jobs. */
import { randomUUID } from 'node:crypto';
import type { Power } from '../../machines/events.ts';
import { StepFailure } from '../failure.ts';
import { OPERATOR } from './board-folder.ts';
import { TYPED_BYTES_MAX, typeText } from './console-pump.ts';
import type { Seat } from './driver.ts';

export const operatorSeat = (device: string): Seat => ({
  ...{ device, job: OPERATOR, lease: randomUUID(), group: [device] },
});

/** The power of a board that is there only while somebody has it. @throws StepFailure `not-possible` */
export async function switchMade(
  device: string,
  power: Power,
  is: { isOn: boolean; off(): Promise<void> },
): Promise<void> {
  if (power === 'off') return is.off();
  if (power === 'on' && is.isOn) return;
  const why = is.isOn
    ? 'is on as long as its console is open: leave that, and open it again'
    : 'is there only while a job or a console has it, and off between them: it boots when it gets one';
  throw new StepFailure('not-possible', `${device} ${why}`);
}

/** Types bytes into the pipe of a console, as many at once as it takes. `false`: nobody takes them. */
export async function typeBytes(
  pipe: string,
  bytes: Uint8Array,
  isAlive: () => boolean,
): Promise<boolean> {
  for (let at = 0; at < bytes.length; at += TYPED_BYTES_MAX)
    if (!(await typeText(pipe, bytes.subarray(at, at + TYPED_BYTES_MAX), isAlive))) return false;
  return true;
}
