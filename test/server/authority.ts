/** A certificate authority of the test's own, made by openssl, and what it signs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';

export interface SignedFiles {
  cert: string;
  key: string;
}

export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'muster-ca-'));
  #count = 0;

  /** @param undo is told how it is taken away */
  constructor(undo: (remove: () => void) => void = onTestFinished) {
    undo(() => rmSync(this.folder, { recursive: true }));
    this.#openssl(`req -x509 ${NEW_KEY} -days 30 -subj /CN=ca -keyout ca.key -out ca.pem`);
  }

  get caFile(): string {
    return join(this.folder, 'ca.pem');
  }

  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  /** A server's certificate and its key. `days` below 0: it has expired. */
  sign({ names = 'IP:127.0.0.1,DNS:localhost', days = 10 } = {}): SignedFiles {
    this.#count += 1;
    const name = `server${this.#count}`;
    writeFileSync(join(this.folder, 'ext'), `subjectAltName=${names}`);
    this.#openssl(`req -new ${NEW_KEY} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`);
    this.#openssl(
      `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -days ${days} -extfile ext -out ${name}.pem`,
    );
    return { cert: join(this.folder, `${name}.pem`), key: join(this.folder, `${name}.key`) };
  }

  /** The same key behind a passphrase. */
  encrypted({ key }: SignedFiles): string {
    const out = `${key}.secret`;
    this.#openssl(`pkcs8 -topk8 -in ${key} -passout pass:x -out ${out}`);
    return out;
  }

  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  #openssl(words: string): void {
    execFileSync('openssl', words.split(' '), { cwd: this.folder, stdio: 'ignore' });
  }
}
