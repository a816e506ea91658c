/**
 * Events of several versions of Muster on one log.
 *
 * The vocabulary of events has a number. Whoever adds an event type or a field, or changes a shape, takes the next number
 * and writes it into `since`. An event that is written carries the number that a reader needs (`meta.schema`; absent: 1):
 * one that uses nothing new can be read by every older version. A log that several servers share is written in the
 * vocabulary that all of them read: upgrade them all, and then the new fields are written (docs/operations.md, "Upgrade").
 */
import { z } from 'zod';
import { type AnyEvent, type EventType, Meta, schemas, UnreadableEvent } from './events.ts';

/** Since which number a type, or a field of one, is there. What is not named was there from the first. */
const since: Partial<Record<EventType | `${EventType}.${string}`, number>> = {
  SuitePrepared: 2,
  SignalGarbled: 2,
  AttachmentKept: 2,
  ScriptEnded: 2,
  'MessageSent.from': 2,
  'RequestRefused.from': 2,
  'WaitStarted.from': 2,
  'ResultRecorded.from': 2,
  'WorkerConnected.vocabulary': 2,
  'WorkerConnected.line': 2,
  WorkerDisconnected: 2,
  WorkerDrained: 2,
  WorkerUndrained: 2,
  WorkerTokenMade: 2,
  WorkerTokenRevoked: 2,
  DevicePowerSwitched: 2,
};

/** Of a type whose data may say something new below its own fields: since which number it does. */
const within: { [T in EventType]?: (data: z.infer<(typeof schemas)[T]>) => number } = {
  JobSubmitted: ({ definition }) =>
    definition.actions.some(
      ({ command, parameters }) =>
        command === 'lava_test_shell' &&
        parameters.definitions.some(({ skipInstall }) => skipInstall !== undefined),
    )
      ? 2
      : 1,
};

/** The number of this version's vocabulary: what it reads, and what it writes where it is alone. */
export const VOCABULARY = 2;
/** The first version whose servers say what they read: those before it do not work beside newer ones on one log. */
export const VOCABULARY_FIRST_SAID = 2;

/**
 * How data of an older number is read: `upcast[type][n]` makes what the next number says of what number `n` said. Only for
 * a shape that changed; a type or an optional field that was added needs none.
 */
const upcast: Partial<Record<EventType, Readonly<Record<number, (data: unknown) => unknown>>>> = {};

/** Types whose data means what is written there, whatever number it was written with. */
export const readAsWritten: readonly EventType[] = (Object.keys(schemas) as EventType[]).filter(
  (type) => upcast[type] === undefined,
);

interface Newness {
  type: number;
  fields: [field: string, number: number][];
}

const newness: ReadonlyMap<string, Newness> = (() => {
  const out = new Map<string, Newness>();
  for (const [name, number] of Object.entries(since) as [string, number][]) {
    const [type = '', field] = name.split('.');
    const entry = out.get(type) ?? { type: 1, fields: [] };
    out.set(type, entry);
    if (field === undefined) entry.type = number;
    else entry.fields.push([field, number]);
  }
  return out;
})();

const FROM_THE_FIRST: Newness = { type: 1, fields: [] };

/** How a new event is written: its data, and the number that a reader of it needs. */
export interface Written<D> {
  data: D;
  /** Absent: 1. */
  schema?: number;
}

/**
 * An event as it may be written in a vocabulary: without the fields that came later. `undefined`: its type came later, or
 * something that cannot be left out.
 *
 * @param writes the number of the vocabulary that all readers of the log have
 */
export function written<D extends object>(
  type: EventType,
  data: D,
  writes = VOCABULARY,
): Written<D> | undefined {
  const is = newness.get(type) ?? FROM_THE_FIRST;
  let schema = Math.max(is.type, (within[type] as ((of: D) => number) | undefined)?.(data) ?? 1);
  if (schema > writes) return undefined;
  let kept: D = data;
  for (const [field, number] of is.fields) {
    if (!Object.hasOwn(data, field)) continue;
    if (number > writes) {
      const { [field as keyof D]: _, ...rest } = kept;
      kept = rest as D;
    } else schema = Math.max(schema, number);
  }
  return schema > 1 ? { data: kept, schema } : { data: kept };
}

const inOneLine = (error: z.ZodError): string =>
  z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' ');

/**
 * Checks one event on its way into or out of a store (pair assertions).
 *
 * @throws UnreadableEvent for an event of a newer version, a type that there is not, or wrong data
 */
export function parseEvent(raw: {
  type: string;
  data: unknown;
  meta: unknown;
  stream: string;
  version: number;
}): { event: AnyEvent; meta: Meta } {
  const meta = Meta.safeParse(raw.meta);
  if (!meta.success) throw new UnreadableEvent(raw, inOneLine(meta.error));
  const number = meta.data.schema ?? 1;
  if (number > VOCABULARY)
    throw new UnreadableEvent(
      raw,
      `a newer version of Muster wrote it (its events are of version ${number}, this one reads up to ${VOCABULARY})`,
    );
  if (!Object.hasOwn(schemas, raw.type))
    throw new UnreadableEvent(raw, 'no version of Muster has such a type: it is damaged');
  const type = raw.type as EventType;
  let given = raw.data;
  const steps = upcast[type];
  if (steps !== undefined)
    for (let n = number; n < VOCABULARY; n++) given = steps[n]?.(given) ?? given;
  const data = schemas[type].safeParse(given);
  if (!data.success) throw new UnreadableEvent(raw, inOneLine(data.error));
  return { event: { type, data: data.data } as AnyEvent, meta: meta.data };
}
