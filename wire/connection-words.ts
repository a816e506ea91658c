/** Why there is no connection to a server, in words that say what to do: for the command line and for workers. */

const NOT_HTTPS =
  'it does not speak https: its address begins with http://, or something else is there';
const UNSIGNED =
  'nobody that is known here signed its certificate: name the one that did with --ca FILE';

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection broken',
  EPIPE: 'connection broken',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name cannot be looked up now',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'no answer',
  TimeoutError: 'no answer',
  EPROTO: NOT_HTTPS,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_HTTPS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_HTTPS,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: "its certificate is not valid yet: is this machine's clock right?",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNSIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: UNSIGNED,
  UNABLE_TO_GET_ISSUER_CERT: UNSIGNED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNSIGNED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNSIGNED,
};

/** The code of what went wrong: of several addresses that were tried, that of the first. */
export function connectionCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'TimeoutError') return error.name;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return code;
  return error instanceof AggregateError ? connectionCode(error.errors[0]) : undefined;
}

export function connectionWords(error: unknown): string {
  const code = connectionCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for another name (${message.replace(/^Hostname\/IP does not match certificate's altnames: /, '')})`;
  return (code === undefined ? undefined : WORDS[code]) ?? message;
}

/** What an address answers that is not the one of a server: a proxy before it, or something else. */
export function strangeAnswer(status: number, location: string | undefined): string {
  if (status >= 300 && status < 400 && location !== undefined)
    return `it sends whoever asks to ${location}: name that address`;
  const isProxys = status === 502 || status === 503 || status === 504;
  return isProxys
    ? `it answers ${status}: a proxy is there, and no server behind it`
    : `it answers ${status}: is a Muster server there?`;
}
