/** Who does what an operator wants of a board: whoever drives it now, if no job has it. */
import type { Power } from '../machines/events.ts';
import { type BoardHands, HandsRefused } from '../wire/board-hands.ts';
import type { By } from './orders.ts';
import { noSuchDevice } from './orders.ts';
import type { ApiEngine } from './parts.ts';
import { ApiProblem } from './problems.ts';

/** @throws ApiProblem where a job has the board, or nobody drives it */
export type HandsOf = (device: string) => BoardHands;

/** `handsOfWorker`: throws ApiProblem where it has no line to this server. */
export const handsFrom =
  (
    engine: Pick<ApiEngine, 'device' | 'undriven'>,
    handsOfWorker: (worker: string) => BoardHands,
  ): HandsOf =>
  (device) => {
    const is = engine.device(device);
    if (is === undefined) throw noSuchDevice(device);
    if (is.heldBy !== null) {
      const { job } = is.heldBy;
      const why = `job ${job} has ${device}: cancel it first`;
      throw new ApiProblem('not-idle', why, { extras: { job } });
    }
    const undriven = engine.undriven(device);
    if (undriven !== null) throw new ApiProblem('worker-away', `${device}: ${undriven}`);
    return handsOfWorker(is.worker);
  };

export const problemOfHands = (error: unknown): unknown =>
  error instanceof HandsRefused ? new ApiProblem(error.code, error.message) : error;

/** What was tried is recorded, whatever came of it; what was refused was not tried. @throws ApiProblem */
export async function switchPower(
  { engine, handsOf }: { engine: Pick<ApiEngine, 'notePower'>; handsOf: HandsOf },
  { device, power, signal }: { device: string; power: Power; signal: AbortSignal },
  by: By,
): Promise<void> {
  try {
    await handsOf(device).power(device, power, signal);
  } catch (error) {
    if (!(error instanceof HandsRefused)) throw error;
    if (error.code === 'power-failed' || error.code === 'worker-away')
      await engine.notePower(device, { power, outcome: 'failed', reason: error.message }, by);
    throw problemOfHands(error);
  }
  await engine.notePower(device, { power, outcome: 'done' }, by);
}
