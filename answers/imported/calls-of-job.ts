/** How a job's log says that its member called the MultiNode API, and what it was answered. */
import { z } from 'zod';
import type { Verb } from './observed.ts';

const VERBS: Readonly<Record<string, Verb>> = {
  lava_send: 'send',
  lava_sync: 'sync',
  lava_wait: 'wait',
  lava_wait_all: 'wait-all',
};

/** What is asked of the coordinator; `lava_send`'s message may be a text. */
const Asked = z.looseObject({
  request: z.string().optional(),
  messageID: z.coerce.string().optional(),
  message: z.unknown().optional(),
  waitrole: z.string().nullish(),
  client_name: z.coerce.string().optional(),
  group_name: z.coerce.string().optional(),
  role: z.string().nullish(),
  group_size: z.coerce.number().optional(),
});

export interface SaidCall {
  verb?: Verb;
  message?: string;
  pairs: [string, string][];
  waitsFor?: string;
  member?: string;
  group?: string;
  role?: string;
  size?: number;
}

/** What a line of the dispatcher says of a call; `undefined`: nothing. */
export function callOf(line: string): SaidCall | undefined {
  const [, final] = /^final message: (\{.*\})\s*$/s.exec(line) ?? [];
  if (final !== undefined) return askedOf(jsonOf(final));
  const [, name, rest = ''] =
    /^Handling signal <LAVA_(SEND|SYNC|WAIT_ALL|WAIT) (.*)>\s*$/s.exec(line) ?? [];
  if (name === undefined) return undefined;
  const verb = VERBS[`lava_${name.toLowerCase()}`];
  if (verb === 'send' && rest.startsWith('{')) {
    const { member: _, ...call } = askedOf(jsonOf(rest)) ?? { pairs: [] };
    return call;
  }
  const [message = ''] = rest.split(' ');
  return verb === undefined || message === '' ? undefined : { verb, message, pairs: [] };
}

/** A request, as the coordinator is handed it. */
export function askedOf(json: unknown): SaidCall | undefined {
  const is = Asked.safeParse(json).data;
  if (is === undefined) return undefined;
  const verb = VERBS[(is.request ?? '').replaceAll('-', '_')];
  const optional = <K extends string>(key: K, value: string | null | undefined) =>
    value == null || value === '' ? {} : ({ [key]: value } as Record<K, string>);
  return {
    pairs: verb === 'send' ? pairsOf(is.message) : [],
    ...(verb !== undefined && { verb }),
    ...optional('message', is.messageID),
    ...optional('waitsFor', is.waitrole),
    ...optional('member', is.client_name),
    ...optional('group', is.group_name),
    ...optional('role', is.role),
    ...(is.group_size !== undefined && { size: is.group_size }),
  };
}

/** The pairs of a message. A value is any text; one that is none is as it is written. */
export function pairsOf(message: unknown): [string, string][] {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return [];
  return Object.entries(message).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value ?? null),
  ]);
}

/** What a wait was told: ` 1201:port=80 1202:who=c`. A value goes on up to the next word that is a sender's. */
export function pairsIn(said: string): { sender: string; pairs: [string, string][] }[] {
  const bySender = new Map<string, [string, string][]>();
  for (const word of said.trim().split(/ (?=[^\s:=]+:[^\s=]+=)/)) {
    const [, sender, key, value = ''] = /^([^\s:=]+):([^\s=]+)=(.*)$/s.exec(word) ?? [];
    if (sender === undefined || key === undefined) continue;
    bySender.set(sender, [...(bySender.get(sender) ?? []), [key, value]]);
  }
  return [...bySender].map(([sender, pairs]) => ({ sender, pairs }));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
