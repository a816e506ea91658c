/**
 * Users, passwords and queries of the addresses that jobs name: the log does not have them. Each whole address lies in a
 * file of its own below the data folder, and is put back when the worker is told what it owes. Named by a keyed digest:
 * the same job submitted again is the same, and nobody who reads the log can try passwords on a name.
 */
import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME_DIGITS = 32;

export interface AddressSecrets {
  /** Durable when it returns. */
  keep(address: string): string;
  /** `undefined`: it was submitted to another server. */
  kept(name: string): string | undefined;
}

export function openAddressSecrets(dataDir: string, secret: Buffer): AddressSecrets {
  const folder = join(dataDir, 'secrets');
  const known = new Map<string, string>();
  return {
    keep(address) {
      const digest = createHmac('sha256', secret).update(`address ${address}`).digest('hex');
      const name = digest.slice(0, NAME_DIGITS);
      if (known.has(name)) return name;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, name);
      writeFileSync(`${file}.new`, address, { mode: 0o600, flush: true });
      renameSync(`${file}.new`, file);
      known.set(name, address);
      return name;
    },
    kept(name) {
      const here = known.get(name);
      if (here !== undefined) return here;
      try {
        const address = readFileSync(join(folder, name), 'utf8');
        known.set(name, address);
        return address;
      } catch {
        return undefined;
      }
    },
  };
}
