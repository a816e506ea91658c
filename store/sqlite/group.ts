/**
 * A group of appends as it crosses to the log's thread: the cells of all rows one after another, all ids in one array of
 * bytes. As an object a row it would take longer to hand over than to write.
 */
import type { Checked } from '../edge.ts';

export type Cell = string | number | null;

export interface Group {
  /** An entry an append in each of the three. */
  streams: string[];
  expectedVersions: number[];
  /** How many rows it has. */
  sizes: number[];
  /** Two a row: the event's own, and that of what caused it, or zeros where the cause is no UUID. */
  ids: Uint8Array;
  /** `ROW_CELLS` a row, in the order of `cellsOf`. */
  cells: Cell[];
}

export const ID_BYTES = 16;
export const ROW_CELLS = 7;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NO_UUID = '0'.repeat(2 * ID_BYTES);

export function groupOf(
  appends: readonly { stream: string; expectedVersion: number; checked: readonly Checked[] }[],
): Group {
  const ids: string[] = [];
  const cells: Cell[] = [];
  for (const { checked } of appends)
    for (const { id, type, data, meta } of checked) {
      const { at, actor, causationId, correlationId, ...rare } = meta;
      const isUuid = UUID.test(causationId);
      ids.push(id, isUuid ? causationId : NO_UUID);
      cells.push(type, at, actor, isUuid ? null : causationId, correlationId, restOf(rare), data);
    }
  const bytes = Buffer.allocUnsafeSlow(ids.length * ID_BYTES);
  bytes.write(ids.join('').replaceAll('-', ''), 'hex');
  return {
    streams: appends.map(({ stream }) => stream),
    expectedVersions: appends.map(({ expectedVersion }) => expectedVersion),
    sizes: appends.map(({ checked }) => checked.length),
    ids: bytes,
    cells,
  };
}

function restOf(rare: object): string | null {
  const rest = JSON.stringify(rare);
  return rest === '{}' ? null : rest;
}

/** Id number `at` of a group. */
export const idAt = ({ ids }: Group, at: number): Uint8Array =>
  ids.subarray(at * ID_BYTES, (at + 1) * ID_BYTES);
