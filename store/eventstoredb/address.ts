/**
 * The address of a server or a cluster, as it is written for every client of EventStoreDB:
 * `esdb://USER:PASSWORD@A:2113,B:2113?tls=false`. No message repeats what may be part of a login.
 */
import { isIPv6 } from 'node:net';
import { StoreRefused } from '../port.ts';
import type { Endpoint } from './patience.ts';

export interface Address {
  hosts: readonly [Endpoint, ...Endpoint[]];
  /** The hosts are asked who leads (a name may stand for several servers); else the only one is. */
  isDiscovered: boolean;
  login?: { user: string; password: string };
  /** False: plain connections, and no login. */
  tls: boolean;
  /** By the names that are used in messages, as text. */
  settings: ReadonlyMap<Setting, string>;
}

const PORT_DEFAULT = 2113;
const PORT_MAX = 65_535;
const PARTS = /^esdb(\+discover)?:\/\/(?:([^@/?]*)@)?([^@/?]*)\/?(?:\?(.*))?$/;
/** A name or an IPv4 address, or an IPv6 address in brackets; the port. */
const HOST = /^(?:([\w.-]+)|\[([^\]]*)\])(?::(\d{1,5}))?$/;

const SETTINGS = [
  'tls',
  'tlsCAFile',
  'userCertFile',
  'userKeyFile',
  'connectionName',
  'keepAliveInterval',
  'keepAliveTimeout',
] as const;
type Setting = (typeof SETTINGS)[number];

/** Of calls as other clients make them; they say nothing about how to reach the servers. */
const PASSED_OVER = [
  'defaultdeadline',
  'discoveryinterval',
  'gossiptimeout',
  'maxdiscoverattempts',
  'nodepreference',
  'throwonappendfailure',
];

/** @throws StoreRefused for what is no address, or asks for what Muster does not do */
export function parseAddress(written: string): Address {
  const text = written.trim();
  if (!/^esdb(\+discover)?:\/\//.test(text)) throw refused('it does not begin with esdb://');
  const parts = PARTS.exec(text);
  if (parts === null)
    throw refused('write %40 for @, %2F for / and %3F for ? where they are part of a login');
  const [, discover, login, hostList = '', query] = parts;
  const [first = '', ...more] = hostList.split(',');
  const settings = query === undefined ? new Map() : settingsOf(query);
  return {
    hosts: [hostOf(first), ...more.map(hostOf)],
    isDiscovered: discover !== undefined || more.length > 0,
    ...(login !== undefined && { login: loginOf(login) }),
    tls: settings.get('tls') !== 'false',
    settings,
  };
}

function hostOf(text: string): Endpoint {
  if (text === '') throw refused('it names no host');
  const [, name, ipv6 = '', port = PORT_DEFAULT] = HOST.exec(text) ?? [];
  const address = name ?? (isIPv6(ipv6) ? ipv6 : '');
  if (address === '' || Number(port) < 1 || Number(port) > PORT_MAX)
    throw refused(`'${text}' is not HOST or HOST:PORT; an IPv6 address is written [::1]:2113`);
  return { address, port: Number(port) };
}

function loginOf(text: string): { user: string; password: string } {
  const [user, password, ...more] = text.split(':').map(decoded);
  if (!user || !password || more.length > 0)
    throw refused('a login is USER:PASSWORD, with %3A for a : in either of them');
  return { user, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('a % is written %25');
  }
}

function settingsOf(query: string): Map<Setting, string> {
  const settings = new Map<Setting, string>();
  for (const pair of query.split('&')) {
    const [, key = '', value = ''] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (key === '') throw refused(`'${pair}' is not a setting with its value, as tls=false is`);
    const name = nameOf(key, value);
    if (name === undefined) continue;
    if (settings.has(name)) throw refused(`${name}= comes twice`);
    settings.set(name, checked(name, decoded(value)));
  }
  return settings;
}

/** Undefined for what is passed over. */
function nameOf(key: string, value: string): Setting | undefined {
  const low = key.toLowerCase();
  if (PASSED_OVER.includes(low)) return undefined;
  if (low === 'tlsverifycert') {
    if (value === 'true') return undefined;
    throw refused('a certificate is always verified: name its authority with tlsCAFile=FILE');
  }
  const name = SETTINGS.find((setting) => setting.toLowerCase() === low);
  if (name === undefined) throw refused(`it has no setting ${key}; it has ${SETTINGS.join(', ')}`);
  return name;
}

function checked(name: Setting, value: string): string {
  if (name === 'tls' && value !== 'true' && value !== 'false')
    throw refused(`tls=${value}: it is true or false`);
  if (name.startsWith('keepAlive') && !/^\d{1,9}$/.test(value))
    throw refused(`${name}=${value}: it is a number of milliseconds`);
  return value;
}

const refused = (why: string): StoreRefused =>
  new StoreRefused(
    `not an address of an EventStoreDB: ${why}\n` +
      'One server: esdb://HOST:2113?tls=false   a cluster: esdb://A:2113,B:2113,C:2113',
  );
