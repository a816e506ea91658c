/** `muster init`: what it finds is a lab's file that is right, and nothing that is there is written over. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Found, labText } from '../../cli/commands/init.ts';
import { parseLab } from '../../submission/lab.ts';
import { here } from './fake-server.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-init-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const boardsOf = (found: Found) => {
  const parsed = parseLab(labText(found));
  return 'lab' in parsed ? parsed.lab.devices.map(({ name }) => name) : parsed.problems;
};

describe('a first lab', () => {
  const serial = ['/dev/serial/by-id/usb-FTDI_TTL232R-3V3_FT1-if00-port0'];
  test.each([
    [
      'a machine with everything',
      { local: undefined, qemu: undefined },
      ['local01', 'local02', 'qemu01', 'qemu02'],
    ],
    ['one without QEMU', { local: undefined, qemu: 'there is no kernel' }, ['local01', 'local02']],
    ['one where nothing is allowed', { local: 'not root', qemu: 'no' }, ['local01', 'local02']],
  ])('of %s is right', (_, lacks, boards) => {
    expect(boardsOf({ lacks, serial: [] })).toEqual(boards);
    expect(boardsOf({ lacks, serial })).toEqual(boards);
    expect(labText({ lacks, serial })).toContain(serial[0]);
  });

  test('becomes one with hardware when the comments of its serial lines are taken away', () => {
    const text = labText({ lacks: { local: undefined, qemu: 'no' }, serial });
    const parsed = parseLab(text.replace(/^ {2}# (?=hardware:|board01:| )/gm, '  '));
    expect(parsed).not.toHaveProperty('problems');
    expect('lab' in parsed && parsed.lab.devices.map(({ driver }) => driver)).toEqual([
      ...['local', 'local', 'console'],
    ]);
  });

  test('is written and checked, once', async () => {
    const file = join(folder, 'lab.yaml');
    const first = await here(['init', file]);
    expect(first.exit).toBe(0);
    expect(first.out).toContain('local01 (local)');
    const text = readFileSync(file, 'utf8');
    expect(parseLab(text)).toHaveProperty('lab');
    writeFileSync(file, `${text}# mine\n`);
    const second = await here(['init', file]);
    expect(second.exit).toBe(2);
    expect(second.err.replace(/\s+/g, ' ')).toContain('nothing is written over');
    expect(readFileSync(file, 'utf8')).toContain('# mine');
  });
});
