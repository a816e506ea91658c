/** How much lint does for a definition: twice the lines are twice the work, whatever their shape. */
import { expect, test, vi } from 'vitest';
import { SHAPES } from '../../../bench/lint-shapes.ts';
import { GroupMachine } from '../../../submission/lint/group-machine.ts';
import { lintDefinition } from '../../../submission/lint/lint-definition.ts';
import { Table } from '../../../submission/lint/table.ts';
import { Walk } from '../../../submission/lint/walk.ts';

const read = vi.hoisted(() => ({ characters: 0 }));
vi.mock('../../../submission/lint/shell-reader.ts', async (original) => {
  const real = await original<typeof import('../../../submission/lint/shell-reader.ts')>();
  return {
    ...real,
    readScript: (text: string, base?: number, depth?: number) => {
      read.characters += text.length;
      return real.readScript(text, base, depth);
    },
  };
});

interface Work {
  /** Characters that were parsed. */
  parsed: number;
  /** Statements and rounds that were walked. */
  steps: number;
  /** Calls that were decided. */
  calls: number;
}

function workOf(definition: Parameters<typeof lintDefinition>[0]): Work {
  const steps = vi.spyOn(Walk.prototype, 'step');
  const calls = vi.spyOn(GroupMachine.prototype, 'call');
  read.characters = 0;
  expect(lintDefinition(definition).verdict).toBe('clean');
  const work = {
    parsed: read.characters,
    steps: steps.mock.calls.length,
    calls: calls.mock.calls.length,
  };
  steps.mockRestore();
  calls.mockRestore();
  return work;
}

test.each(SHAPES.map((shape) => [shape.name, shape] as const))(
  'of %s twice the lines are twice the work',
  (_, { definition }) => {
    const [half, whole] = [workOf(definition(500)), workOf(definition(1_000))];
    for (const key of ['parsed', 'steps', 'calls'] as const)
      expect(whole[key], key).toBeLessThan(half[key] * 2.5 + 100);
  },
);

test('a text that was read is not read again, for whichever member and role', () => {
  const definition = SHAPES[0]?.definition(400);
  if (definition === undefined) throw new Error('no shape');
  const { parsed } = workOf({ ...definition, text: `${definition.text}# once\n` });
  expect(parsed).toBeLessThan(definition.text.length * 1.5);
  expect(workOf({ ...definition, text: `${definition.text}# once\n` }).parsed).toBe(0);
});

test('what a copy of a table writes is its own, however many there are, and is told apart by what differs', () => {
  const table = new Table<number>();
  const model = new Map<string, number>();
  for (let at = 0; at < 3_000; at++) {
    const before = table.copy();
    const key = `k${at % 700}`;
    if (at % 5 === 4) {
      table.delete(key);
      model.delete(key);
    } else {
      table.set(key, at);
      model.set(key, at);
    }
    expect(table.differing(before)).toEqual(before.get(key) === model.get(key) ? [] : [key]);
    expect([table.size, table.get(key)]).toEqual([model.size, model.get(key)]);
  }
  expect(new Map(table)).toEqual(model);
});
