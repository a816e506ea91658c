import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { workerNameOf } from '../../server/identity.ts';

describe("the name of a server's own worker", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-identity-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("is the host's, and stays when the host is called something else", async () => {
    expect(await workerNameOf(folder, false, 'lab1.example.org')).toBe('lab1');
    expect(await workerNameOf(folder, false, 'dhcp-77')).toBe('lab1');
  });

  test('is its own where two servers of one host share a log', async () => {
    const name = await workerNameOf(folder, true, 'lab1');
    expect(name).toMatch(/^lab1-[0-9a-f]{4}$/);
    expect(await workerNameOf(folder, true, 'lab1')).toBe(name);
  });

  test.each(['', '.local'])('is local on a host called "%s"', async (host) => {
    expect(await workerNameOf(folder, false, host)).toBe('local');
  });
});
