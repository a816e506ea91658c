import { mkdtempSync, rmSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { workerNameOf } from '../../server/identity.ts';

vi.mock('node:os', { spy: true });

describe("the name of a server's own worker", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-identity-'));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  });
  const called = (host: string) => vi.mocked(os.hostname).mockReturnValue(host);

  test("is the host's, and stays when the host is called something else", async () => {
    called('lab1.example.org');
    expect(await workerNameOf(folder, false)).toBe('lab1');
    called('dhcp-77');
    expect(await workerNameOf(folder, false)).toBe('lab1');
  });

  test('is its own where two servers of one host share a log', async () => {
    called('lab1');
    const name = await workerNameOf(folder, true);
    expect(name).toMatch(/^lab1-[0-9a-f]{4}$/);
    expect(await workerNameOf(folder, true)).toBe(name);
  });

  test.each(['', '.local'])('is local on a host called "%s"', async (host) => {
    called(host);
    expect(await workerNameOf(folder, false)).toBe('local');
  });
});
