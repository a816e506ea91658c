/** `--tls-cert` and `--tls-key`: read, and looked at before anybody is shown them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Certificate } from '../api/tls-door.ts';
import { ServerRefused } from './refused.ts';

export interface CertificateFiles {
  cert: string;
  key: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @throws ServerRefused, with the file and what is wrong with it */
export async function readCertificate(
  files: CertificateFiles,
  now: number = Date.now(),
): Promise<Certificate> {
  const refuse = (option: keyof CertificateFiles, what: string) =>
    new ServerRefused(`--tls-${option} ${files[option]}: ${what}`);
  const textOf = (option: keyof CertificateFiles) =>
    readFile(files[option], 'utf8').catch((error: Error) => {
      throw refuse(option, `it cannot be read: ${error.message}`);
    });
  const [cert, key] = await Promise.all([textOf('cert'), textOf('key')]);
  const chain = chainOf(cert);
  if (typeof chain === 'string') throw refuse('cert', chain);
  const secret = keyOf(key);
  if (typeof secret === 'string') throw refuse('key', secret);
  const [own, ...others] = chain;
  if (own?.checkPrivateKey(secret) !== true) {
    const isLater = others.some((other) => other.checkPrivateKey(secret));
    const why = isLater
      ? `the certificate of the key in ${files.key} is not the first one: put it before those that sign it`
      : `it is not the certificate of the key in ${files.key}`;
    throw refuse('cert', why);
  }
  for (const each of chain) {
    const { subject, validFrom, validTo } = each;
    const whose = `the certificate of ${subject.replaceAll(/\s*\n\s*/g, ', ')}`;
    if (now > Date.parse(validTo)) throw refuse('cert', `${whose} has expired, on ${validTo}`);
    if (now < Date.parse(validFrom))
      throw refuse(
        'cert',
        `${whose} is valid from ${validFrom} on only: is this machine's clock right?`,
      );
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw refuse('cert', `it cannot be used: ${messageOf(error)}`);
  }
  return { cert, key };
}

function chainOf(text: string): X509Certificate[] | string {
  const blocks = text.match(CERTIFICATE);
  if (blocks === null) {
    const isKey = text.includes('PRIVATE KEY-----');
    return `it holds no certificate in PEM${isKey ? ', but a key' : ''}`;
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    return `a certificate in it is damaged: ${messageOf(error)}`;
  }
}

function keyOf(text: string): KeyObject | string {
  if (!text.includes('PRIVATE KEY-----')) {
    const isCertificate = text.includes('BEGIN CERTIFICATE');
    return `it holds no private key in PEM${isCertificate ? ', but a certificate' : ''}`;
  }
  if (/ENCRYPTED/.test(text))
    return 'the key has a passphrase, and nobody is here to say it: keep one without, readable by its owner alone';
  try {
    return createPrivateKey(text);
  } catch (error) {
    return `the key in it is damaged: ${messageOf(error)}`;
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
