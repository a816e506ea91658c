/** What is wrong with the files of a certificate is said before anybody is shown it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { type CertificateFiles, readCertificate } from '../../server/certificate.ts';
import { skipBecause } from '../store/events.ts';
import { Authority, hasOpenssl } from './authority.ts';

beforeEach((context) => {
  if (!hasOpenssl) skipBecause(context, 'no openssl to make certificates with');
});

it('a certificate with its key is taken, alone and with those that sign it', async () => {
  const authority = new Authority();
  const files = authority.sign();
  expect(await readCertificate(files)).toEqual({
    cert: readFileSync(files.cert, 'utf8'),
    key: readFileSync(files.key, 'utf8'),
  });
  const chain = `${readFileSync(files.cert, 'utf8')}${authority.ca}`;
  await readCertificate({ ...files, cert: authority.file('chain.pem', chain) });
});

const cut = (file: string) => {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  return [head, ...lines.slice(1)].join('\n');
};

const wrongs: [string, RegExp, (of: Authority) => CertificateFiles][] = [
  [
    'a file that is not there',
    /--tls-cert \S+none.pem: it cannot be read: ENOENT/,
    (of) => ({ ...of.sign(), cert: join(of.folder, 'none.pem') }),
  ],
  [
    'a folder for a key',
    /--tls-key \S+: it cannot be read: EISDIR/,
    (of) => ({ ...of.sign(), key: of.folder }),
  ],
  [
    'an empty file',
    /--tls-cert \S+: it holds no certificate in PEM$/,
    (of) => ({ ...of.sign(), cert: of.file('empty', '') }),
  ],
  [
    'the two files exchanged',
    /--tls-cert \S+: it holds no certificate in PEM, but a key/,
    (of) => {
      const { cert, key } = of.sign();
      return { cert: key, key: cert };
    },
  ],
  [
    'a certificate for a key',
    /--tls-key \S+: it holds no private key in PEM, but a certificate/,
    (of) => {
      const { cert } = of.sign();
      return { cert, key: cert };
    },
  ],
  [
    'a certificate with a line missing',
    /--tls-cert \S+: a certificate in it is damaged: /,
    (of) => {
      const files = of.sign();
      return { ...files, cert: of.file('cut.pem', cut(files.cert)) };
    },
  ],
  [
    'a key with a line missing',
    /--tls-key \S+: the key in it is damaged: /,
    (of) => {
      const files = of.sign();
      return { ...files, key: of.file('cut.key', cut(files.key)) };
    },
  ],
  [
    'a key with a passphrase',
    /--tls-key \S+: the key has a passphrase, and nobody is here to say it/,
    (of) => {
      const files = of.sign();
      return { ...files, key: of.encrypted(files) };
    },
  ],
  [
    'the key of another certificate',
    /--tls-cert \S+: it is not the certificate of the key in \S+/,
    (of) => ({ ...of.sign(), key: of.sign().key }),
  ],
  [
    'a chain that begins with who signed it',
    /--tls-cert \S+: the certificate of the key in \S+ is not the first one: put it before/,
    (of) => {
      const files = of.sign();
      const chain = `${of.ca}${readFileSync(files.cert, 'utf8')}`;
      return { ...files, cert: of.file('chain.pem', chain) };
    },
  ],
  [
    'a certificate that has expired',
    /--tls-cert \S+: the certificate of CN=server1 has expired, on /,
    (of) => of.sign({ days: -1 }),
  ],
];

it.each(wrongs)('%s is refused, with the file and what is wrong with it', async (_, why, files) => {
  const refused = readCertificate(files(new Authority()));
  await expect(refused).rejects.toMatchObject({ code: 'server-refused', message: why });
});

it('a certificate that is not valid yet is refused, and the clock asked about', async () => {
  const yesterday = Date.now() - 86_400_000;
  await expect(readCertificate(new Authority().sign(), yesterday)).rejects.toThrow(
    /valid from .* on only: is this machine's clock right\?/,
  );
});
