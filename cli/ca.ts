/** `--ca FILE`: who has to have signed the certificate of a server. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CliFailure, EXIT } from './exit.ts';

/** Node passes over what is no certificate, and trusts nobody then. @throws CliFailure */
export async function readCa(file: string, named = `--ca ${file}`): Promise<string> {
  const refuse = (what: string) =>
    new CliFailure({ code: 'wrong-ca', exit: EXIT.usage, message: `${named}: ${what}` });
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw refuse(`it cannot be read: ${error.message}`);
  });
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (blocks === null) throw refuse('it holds no certificate in PEM');
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw refuse(`a certificate in it is damaged: ${(error as Error).message}`);
    }
  }
  return text;
}
