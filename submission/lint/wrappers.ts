/** What runs another command: `env`, `sudo`, `timeout` and the like. */

import { ofStatus, simple } from './decisions.ts';
import type { Pattern } from './patterns.ts';
import { subshell } from './processes.ts';
import { quiet } from './results.ts';
import { failed, ok } from './scope.ts';
import type { Statement } from './shell-tree.ts';
import type { Field, Result, Walk } from './walk.ts';

export const skipOptions = (args: readonly Field[], withWord: RegExp = /^$/): readonly Field[] => {
  let rest = args;
  for (;;) {
    const [first] = rest;
    const text = first?.value.kind === 'exact' ? first.value.text : '';
    if (!text.startsWith('-') || text === '-') return rest;
    rest = rest.slice(withWord.test(text) ? 2 : 1);
    if (text === '--') return rest;
  }
};

const afterAssignments = (args: readonly Field[]): readonly Field[] => {
  const at = args.findIndex(({ word }) => !/^[A-Za-z_]\w*=/.test(word.source));
  return at < 0 ? [] : args.slice(at);
};

export const wrappers: Record<string, (args: readonly Field[]) => readonly Field[] | undefined> = {
  env: (args) => afterAssignments(skipOptions(args, /^-u$/)),
  sudo: (args) => afterAssignments(skipOptions(args, /^-[ugh]$/)),
  nohup: (args) => args,
  setsid: (args) => skipOptions(args),
  nice: (args) => skipOptions(args, /^-n$/),
  ionice: (args) => skipOptions(args, /^-[cnp]$/),
  stdbuf: (args) => skipOptions(args, /^-[ioe]$/),
  time: (args) => skipOptions(args),
  unbuffer: (args) => args,
  flock: (args) => skipOptions(args, /^-[wE]$/).slice(1),
  taskset: (args) => skipOptions(args).slice(1),
  chrt: (args) => skipOptions(args).slice(1),
  ip: (args) =>
    args
      .slice(0, 2)
      .map(({ word }) => word.source)
      .join(' ') === 'netns exec'
      ? args.slice(3)
      : undefined,
  builtin: (args) => args,
};

export function limited(walk: Walk, statement: Statement, args: readonly Field[]): Result {
  const [seconds, ...rest] = skipOptions(args, /^-[sk]$|^--(?:signal|kill-after)$/);
  if (seconds === undefined || rest.length === 0) return quiet(failed);
  const key = `limit ${walk.id()}`;
  const given = secondsOf(seconds.value);
  const saved = walk.limitSeconds;
  if (given !== null) walk.limitSeconds = given;
  const frame = walk.endOfErrors;
  const isSwallowed = walk.around.some((one) => one === 'test-case' || one === 'or-true');
  let result: Result = quiet(ok);
  const body = walk.collected(() =>
    walk.inside('timeout', () => {
      const condition = walk.isCondition;
      walk.isCondition = true;
      result = subshell(walk, () => walk.runner.command(walk, statement, rest), 'script');
      walk.isCondition = condition;
    }),
  );
  if (given !== null) {
    if (saved === undefined) walk.limitSeconds = undefined;
    else walk.limitSeconds = saved;
  }
  if (body.length === 0) return result;
  const leaves = frame === undefined || walk.isDead ? null : walk.dies(frame);
  if (leaves !== null) walk.leaving.add(key);
  const text = walk.textOf(statement);
  const at = { ...walk.source.place(statement.start), text };
  walk.emit({ op: 'limit', key, seconds: given, body, leaves, isSwallowed, at });
  const tree = simple(key, [ofStatus(result.status), false]);
  return { status: walk.decision(tree, text), out: result.out };
}

function secondsOf(value: Pattern): number | null {
  const found = value.kind === 'exact' ? /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(value.text) : null;
  if (found === null) return null;
  return Number(found[1]) * ({ m: 60, h: 3_600, d: 86_400 }[found[2] ?? ''] ?? 1);
}
