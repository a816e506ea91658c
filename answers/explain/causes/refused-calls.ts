/** What rules about refused and failed verbs have in common. */
import { scriptOf } from '../../callers.ts';
import type { Call } from '../facts.ts';
import type { Gap, Situation } from '../situation.ts';

/** The waits that lacked what a refused call was to send, or that its member, stopped by it, never came to. */
export const gapsOfMessage = ({ gaps }: Situation, call: Call): Gap[] =>
  gaps.filter(
    (gap) =>
      gap.member === call.member &&
      (gap.wait.message === call.message ||
        (gap.absence.why === 'verb-failed' && gap.absence.call === call)),
  );

/** The `lava-test-case` that ran a call, and hid its end: its words. */
export function wrapperOf(call: Call): readonly string[] | undefined {
  const wrapper = call.from?.find((caller) =>
    /(?:^|\/)lava-test-case$/.test(scriptOf(caller).path ?? ''),
  );
  if (wrapper === undefined) return undefined;
  const at = wrapper.argv.findIndex((word) => /(?:^|\/)lava-test-case$/.test(word));
  const words = wrapper.argv.slice(at + 1);
  return words.includes('--strict') ? undefined : words;
}

/** Whether the script went on after the call: it called something else, or ran to its end. */
export function wentOn(call: Call): boolean {
  const over = call.end?.version ?? Number.POSITIVE_INFINITY;
  const { calls, results, scripts, suites } = call.member;
  const died = scripts.find(({ version }) => version > over);
  const later = [...calls, ...results.filter(({ case: name }) => !name.startsWith('multinode-'))];
  if (later.some(({ version }) => version > over && (died === undefined || version < died.version)))
    return true;
  const suite = suites.find(({ name }) => name === call.suite);
  return died === undefined && suite?.end !== undefined;
}
