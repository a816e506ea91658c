/**
 * What may be shown of an address, and how a job is kept without the secrets of its addresses: user, password and query
 * (SEMANTICS 2.4). Pure; where the secrets lie meanwhile is `server/address-secrets.ts`.
 */
import type { JobDefinition } from '../machines/definition.ts';

/** In JSON a slash may be escaped. */
const ADDRESS = /\b([a-z][a-z0-9+.-]*:\\?\/\\?\/)([^\s'"<>]*)/gi;

interface Parts {
  user: string;
  host: string;
  path: string;
  query: string;
}

function partsOf(rest: string): Parts {
  const cut = rest.search(/[?#]/);
  const bare = cut === -1 ? rest : rest.slice(0, cut);
  const end = bare.search(/[/\\]/);
  const authority = end === -1 ? bare : bare.slice(0, end);
  const at = authority.lastIndexOf('@') + 1;
  return {
    user: authority.slice(0, at),
    host: authority.slice(at),
    path: end === -1 ? '' : bare.slice(end),
    query: cut === -1 ? '' : rest.slice(cut),
  };
}

/** A text whose addresses have lost their user, password, query and fragment. */
export function withoutSecrets(text: string): string {
  return text.replace(ADDRESS, (_, scheme: string, rest: string) => {
    const { host, path } = partsOf(rest);
    return `${scheme}${host}${path}`;
  });
}

/** The same with each character of a secret covered: places in the text stay what they are. */
export function withSecretsCovered(text: string): string {
  const cover = (part: string) => '*'.repeat(part.length);
  return text.replace(ADDRESS, (_, scheme: string, rest: string) => {
    const { user, host, path, query } = partsOf(rest);
    return `${scheme}${cover(user)}${host}${path}${cover(query)}`;
  });
}

/** In the place of a user: where the secret of an address is kept. */
const KEPT = /\b[a-z][a-z0-9+.-]*:\/\/muster-secret-([0-9a-f]{32})@[^\s'"<>]*/gi;
/** `git@host` and the like are no secrets. */
const isPlainLogin = (scheme: string, user: string): boolean =>
  scheme === 'ssh://' && !user.includes(':');

/**
 * The job as it is recorded: of an address with a secret, where that is kept.
 *
 * @param keep is given the whole address and says under which name it is kept: 32 hex digits
 */
export function withSecretsKept<J extends { definition: JobDefinition; document: string }>(
  job: J,
  keep: (address: string) => string,
): J {
  const hide = (text: string): string =>
    text.replace(ADDRESS, (address: string, scheme: string, rest: string) => {
      const { user, host, path, query } = partsOf(rest);
      if ((user === '' || isPlainLogin(scheme, user)) && query === '') return address;
      return `${scheme}muster-secret-${keep(address)}@${host}${path}`;
    });
  const { definition } = job;
  return {
    ...job,
    definition: { ...definition, actions: mapTexts(definition.actions, hide) },
    document: withoutSecrets(job.document),
  };
}

/** What is owed to a worker, with the addresses as they were submitted. One whose secret is not here stays as it is. */
export function withSecretsBack<T>(value: T, kept: (name: string) => string | undefined): T {
  return mapTexts(value, (text) =>
    text.replace(KEPT, (address: string, name: string) => kept(name) ?? address),
  );
}

function mapTexts<T>(value: T, map: (text: string) => string): T {
  if (typeof value === 'string') return map(value) as T;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapTexts(item, map)]),
  ) as T;
}
