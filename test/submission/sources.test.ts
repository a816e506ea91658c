import { describe, expect, it } from 'vitest';
import {
  ADDRESS_CHARACTERS_MAX,
  isAbsolutePath,
  isFetchable,
  isGitRepository,
  isImage,
  isRevision,
  isTestdefPath,
  isVariable,
} from '../../submission/sources.ts';

describe('a git repository', () => {
  it.each([
    'https://host/a.git',
    'http://user:secret@host:8080/a/b.git',
    'git://git.linaro.org/qa/test-definitions.git',
    'ssh://git@host:22/a.git',
    'https://[::1]:8443/a.git',
    'file:///srv/git/a.git',
    '/srv/git/a.git',
    'git@host:group/a.git',
    'git@host:a.git',
  ])('may be %s', (address) => {
    expect(isGitRepository(address)).toBe(true);
  });

  it.each([
    'ext::sh -c id',
    'ext::sh',
    'fd::17',
    'file::/etc',
    'https::host/a',
    '--upload-pack=touch /tmp/x',
    '-u',
    'ssh://-oProxyCommand=id/a',
    'ssh://-x@host/a',
    'ssh://%2doProxyCommand=id/a',
    '-x@host:a',
    'git@-host:a',
    'git@host:-a',
    'git@host::a',
    'host:a',
    'a.git',
    './a.git',
    '../a.git',
    '/srv/../etc',
    'file:///srv/../etc',
    'file:///srv/%2e%2E/etc',
    'file://host/a',
    'https://',
    'https://host',
    'https:///a',
    'ftp://host/a',
    'javascript:x',
    'https://host/a b',
    'https://host/a\nb',
    'https://host/\u202ea',
    '/',
    '',
    `https://host/${'a'.repeat(ADDRESS_CHARACTERS_MAX)}`,
  ])('may not be %j', (address) => {
    expect(isGitRepository(address)).toBe(false);
  });
});

it('a testdef is a relative path that stays inside and is no option', () => {
  for (const path of ['a.yaml', 'ubuntu/smoke-tests-basic.yaml', './a.yaml', 'a..b/c', 'a b.yaml'])
    expect([path, isTestdefPath(path)]).toEqual([path, true]);
  for (const path of [
    '',
    '/a',
    '-a',
    '..',
    '../a',
    'a/../b',
    'a/..',
    'a\\..\\b',
    'a/',
    'a\0b',
    'a\n',
  ])
    expect([path, isTestdefPath(path)]).toEqual([path, false]);
});

it('a revision is a commit, not an option, a range or a refspec', () => {
  for (const word of ['main', 'v1.0', 'refs/tags/v1', 'HEAD~2', 'a'.repeat(40), 'feature/x-y'])
    expect([word, isRevision(word)]).toEqual([word, true]);
  for (const word of [
    '',
    '-f',
    '--upload-pack=x',
    '+a:b',
    'a:b',
    'a..b',
    'a b',
    'a\n',
    'a*',
    ':/x',
  ])
    expect([word, isRevision(word)]).toEqual([word, false]);
});

it('an image is the host, a file or an http address', () => {
  for (const image of ['host:', 'file:///srv/a.tar.gz', 'http://host/a', 'https://host:1/a?b=c'])
    expect([image, isImage(image)]).toEqual([image, true]);
  for (const image of [
    '',
    'host',
    'host:x',
    'ftp://h/a',
    'file://h/a',
    'file:a',
    'data:x',
    '/srv/a',
  ])
    expect([image, isImage(image)]).toEqual([image, false]);
  expect(isImage('file:///srv/../etc/shadow')).toBe(false);
});

it('a test definition is fetched from a file or an http address, never from the host', () => {
  expect(isFetchable('https://host/a.yaml')).toBe(true);
  expect(isFetchable('file:///srv/a.yaml')).toBe(true);
  expect(isFetchable('host:')).toBe(false);
});

it('a parameter is a shell variable name', () => {
  for (const name of ['a', '_', 'A_1', 'server_ip']) expect(isVariable(name)).toBe(true);
  for (const name of ['', '1a', 'a-b', 'a b', 'a=b', 'a;id', 'é', 'a\n'])
    expect(isVariable(name)).toBe(false);
});

it('a folder is absolute and has no way up', () => {
  expect(isAbsolutePath('/srv/images')).toBe(true);
  for (const path of ['srv', './srv', '/srv/..', '/srv/../etc', '/a\0b', ''])
    expect(isAbsolutePath(path)).toBe(false);
});

it('a long address is judged in one pass over it', () => {
  // A pattern that backtracks over four million characters would not come back.
  const long = 'a'.repeat(4_000_000);
  for (const text of [`https://${long}`, `${long}@${long}:x`, `/${long}\0`, `${long}::`]) {
    expect(isGitRepository(text)).toBe(false);
    expect(isTestdefPath(`${text}\0`)).toBe(false);
    expect(isRevision(`${text}:`)).toBe(false);
  }
});
