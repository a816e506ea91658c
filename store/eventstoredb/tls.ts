/** How a server is connected to: plain, or with TLS and a certificate that names it. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { StoreRefused } from '../port.ts';
import type { Address } from './address.ts';
import type { Endpoint } from './patience.ts';

export interface Door {
  credentials: ChannelCredentials;
  options: ChannelOptions;
}

/** The server name that is sent where the server has only an IP address, which RFC 6066 does not let one send. */
const NAMELESS = 'eventstoredb';

/**
 * @param where the servers, for messages
 * @throws StoreRefused when a file that the address names cannot be used
 */
export function doorsOf({ tls, settings }: Address, where: string): (to: Endpoint) => Door {
  if (!tls) {
    const plain = { credentials: credentials.createInsecure(), options: {} };
    return () => plain;
  }
  const read = (file: string | undefined) => (file === undefined ? null : readFileSync(file));
  try {
    const files = [
      read(settings.get('tlsCAFile')),
      read(settings.get('userKeyFile')),
      read(settings.get('userCertFile')),
    ] as const;
    const named = { credentials: credentials.createSsl(...files), options: {} };
    return ({ address }) => (isIP(address) === 0 ? named : byIpAddress(files, address));
  } catch (fault) {
    throw new StoreRefused(
      `${where}: a file that the address names cannot be used: ${fault instanceof Error ? fault.message : fault}`,
    );
  }
}

/** Its certificate has to name the IP address: Node would compare it with the name that is sent. */
const byIpAddress = (
  files: readonly [Buffer | null, Buffer | null, Buffer | null],
  address: string,
): Door => ({
  credentials: credentials.createSsl(...files, {
    checkServerIdentity: (_, certificate) => checkServerIdentity(address, certificate),
  }),
  options: { 'grpc.ssl_target_name_override': NAMELESS },
});
