/**
 * What a job may name as a place to fetch from. These words end up as arguments of `git` and as paths in a
 * checkout, so they are refused here already when they could be read as an option, run a program (git's
 * `transport::address` helpers) or climb out of their folder. The dispatcher checks again what only it can know.
 */

/** Far above any real address, far below the longest argument of a program. */
export const ADDRESS_CHARACTERS_MAX = 2_048;
/** Neither blank nor control characters anywhere: no such word needs them. */
const ONE_WORD = new RegExp(`^[^\\s\\p{Cc}\\p{Cf}]{1,${ADDRESS_CHARACTERS_MAX}}$`, 'u');
const HOST = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])`;
/** With a password behind a colon, where the scheme allows one. */
const USER = `[A-Za-z0-9_.~+][A-Za-z0-9_.~+%:-]*`;
const LOGIN = `[A-Za-z0-9_.~+][A-Za-z0-9_.~+-]*`;
const GIT_URL = new RegExp(`^(?:https?|git|ssh)://(?:${USER}@)?${HOST}(?::[0-9]{1,5})?/.+$`);
const HTTP_URL = new RegExp(`^https?://(?:${USER}@)?${HOST}(?::[0-9]{1,5})?(?:[/?].*)?$`);
/** `user@host:path`; a path that starts with a dash would be an option of the far `git-upload-pack`. */
const SCP_LIKE = new RegExp(`^${LOGIN}@${HOST}:[^:-].*$`);

const climbs = (path: string): boolean => path.split(/[/\\]/).includes('..');

/** `/a/b`, and no way up in it. */
export function isAbsolutePath(path: string): boolean {
  return path.startsWith('/') && !/[\p{Cc}]/u.test(path) && !climbs(path);
}

const isFileUrl = (url: string): boolean =>
  url.startsWith('file:///') && url.length > 'file:///'.length && !climbs(decoded(url));

/** `%2e%2e` is a way up too. */
const decoded = (url: string): string =>
  url.replace(/%2e/gi, '.').replace(/%2f/gi, '/').replace(/%5c/gi, '\\');

export const GIT_REPOSITORY =
  'an https, http, git, ssh or file URL, an absolute path or user@host:path';
/** One `git clone` address without a transport helper (`ext::`, `fd::`) and without a leading dash. */
export function isGitRepository(word: string): boolean {
  if (!ONE_WORD.test(word) || /^[^/@]*::/.test(word)) return false;
  return (
    GIT_URL.test(word) ||
    SCP_LIKE.test(word) ||
    isFileUrl(word) ||
    (word.length > 1 && isAbsolutePath(word))
  );
}

export const TESTDEF_PATH = 'a relative path inside the repository, without ".."';
export function isTestdefPath(path: string): boolean {
  return /^[^\p{Cc}/\\-][^\p{Cc}\\]*$/u.test(path) && !path.endsWith('/') && !climbs(path);
}

export const REVISION = 'a branch, tag or commit';
/** What `git rev-parse` takes as one commit, without a leading dash, a range or a refspec. */
export function isRevision(word: string): boolean {
  return ONE_WORD.test(word) && /^[^-+:?*[\\][^:?*[\\]*$/.test(word) && !word.includes('..');
}

export const IMAGE = '"host:", file:///path or an http(s) URL';
export function isImage(word: string): boolean {
  return word === 'host:' || isFetchable(word);
}

export const FETCHABLE = 'a file:///path or an http(s) URL';
export function isFetchable(word: string): boolean {
  return ONE_WORD.test(word) && (HTTP_URL.test(word) || isFileUrl(word));
}

export const VARIABLE = 'a name of letters, digits and _ that starts with no digit';
export const isVariable = (word: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(word);
