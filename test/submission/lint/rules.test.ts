import { describe, expect, test } from 'vitest';
import { rules } from '../../../submission/lint/findings.ts';
import { lintScript } from './script.ts';

const spoken = rules.filter(({ example }) => example.line > 0);

describe('the example of a rule', () => {
  test.each(spoken.map((rule) => [rule.id, rule] as const))(
    '%s is found in its line',
    (id, rule) => {
      const roles = rule.example.roles.split(', ').map((role) => ({ role, count: 1 }));
      const times = new Map([
        ['server', { deploySeconds: 60, bootSeconds: 30 }],
        ['client', { deploySeconds: 2, bootSeconds: 3 }],
      ]);
      const { findings } = lintScript(rule.example.script, roles, { times });
      const of = findings
        .filter((one) => one.rule === id)
        .map(({ line, severity }) => [line, severity]);
      expect(of[0]).toEqual([rule.example.line, rule.severity]);
    },
  );
});
