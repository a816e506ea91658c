/** What is said when no rule fits: that nothing failed, that it was slow, or what is known of what cannot be told. */
import type { Step } from './explanation.ts';
import {
  ago,
  type Call,
  callName,
  type Group,
  isWait,
  type Member,
  overAt,
  wordsOf,
} from './facts.ts';
import { culpritOf, type Finding, missingOf, type Situation } from './situation.ts';
import { callStep, endStep, found, listed, who } from './words.ts';

export function otherwise(situation: Situation): Finding {
  const { group, failed, deaths } = situation;
  const bad = group.members.filter(({ end }) => end !== undefined && end.how !== 'complete');
  const endedBadly = group.end !== undefined && group.end.how !== 'complete';
  if (failed.length > 0 || bad.length > 0 || deaths.length > 0 || endedBadly)
    return unknown(situation, bad);
  const longest = slowest(group);
  const slow = longest?.call;
  const running = group.end === undefined ? ' so far' : '';
  const steps: Step[] =
    slow === undefined ? [] : [callStep(situation, slow), endStep(situation, slow)];
  const by = slow?.end?.how === 'released' ? slow.end.by : undefined;
  const came = by === undefined ? undefined : group.byDevice.get(by);
  return found({
    kind: slow === undefined ? 'nothing-failed' : 'slow-but-healthy',
    culprit: null,
    missing: [],
    first: { member: undefined, version: group.last.version },
    steps,
    summary:
      slow === undefined
        ? `nothing failed${running}`
        : `nothing failed${running}; ${who(slow.member)} waited ${ago(longest?.ms ?? 0)} in ${wordsOf(slow)}${came === undefined ? '' : ` for ${who(came)}`}`,
    advice: [],
  });
}

const SLOW_MS_MIN = 3_000;

/** The longest wait, if it took a good part of the time in which the boards spoke with each other. Tried again it is one. */
function slowest(group: Group): { call: Call; ms: number } | undefined {
  let longest: { call: Call; ms: number } | undefined;
  let begun = group.last.at;
  for (const { calls } of group.members) {
    const since = new Map<string, number>();
    for (const call of calls) {
      begun = Math.min(begun, call.at);
      if (!isWait(call)) continue;
      const from = since.get(callName(call)) ?? call.at;
      if (call.end?.how === 'abandoned') since.set(callName(call), from);
      else since.delete(callName(call));
      const ms = overAt(group, call).at - from;
      if (longest === undefined || ms > longest.ms) longest = { call, ms };
    }
  }
  const whole = group.last.at - begun;
  return longest !== undefined && longest.ms >= SLOW_MS_MIN && longest.ms * 4 >= whole
    ? longest
    : undefined;
}

/** What is known: what failed first, who was missing, what each of them was at. */
function unknown(situation: Situation, bad: readonly Member[]): Finding {
  const { group, failed, gaps, said } = situation;
  const [wait] = failed;
  const absent = gaps.filter((gap) => gap.wait === wait);
  const steps: Step[] = [
    ...(wait === undefined ? [] : [callStep(situation, wait), endStep(situation, wait)]),
    ...absent.slice(0, 3).map(({ member, absence }) => ({
      text: `${who(member)} ${ABSENT[absence.why]}`,
      event: member.last.version,
    })),
    ...absent.slice(0, 3).flatMap(({ member }) => {
      const last = said.get(member.device)?.at(-1);
      return last === undefined
        ? []
        : [
            {
              text: `the last line of the console of ${who(member)}`,
              device: member.device,
              offset: last.offset,
              said: last.text,
            },
          ];
    }),
    ...(wait !== undefined
      ? []
      : bad.slice(0, 3).flatMap((member) => {
          const [clause = ''] = (member.end?.reason ?? '').split('\n');
          return [
            {
              text: `${who(member)} ${member.end?.how === 'timedOut' ? 'timed out' : 'ended'}: ${clause}`,
              event: member.end?.version ?? 0,
            },
          ];
        })),
  ];
  const names = wait === undefined ? [] : missingOf(situation, wait);
  return found({
    kind: 'unknown',
    culprit: wait === undefined ? null : culpritOf(situation, wait),
    missing: names,
    first: { member: wait?.member, version: wait?.version ?? group.last.version },
    steps,
    summary:
      wait === undefined
        ? `it cannot be told why ${listed(bad.map(who))} did not end well`
        : `it cannot be told why ${listed(names)} did not come to ${wordsOf(wait)}`,
    advice: ['see what each of them did: muster replay JOB', 'read the consoles: muster logs JOB'],
  });
}

const ABSENT = {
  'not-up': 'was not up',
  ended: 'had ended',
  'script-died': 'had a script that ended early',
  'verb-failed': 'had failed in a wait of its own',
  blocked: 'was waiting itself',
  late: 'came after it was over',
  through: 'had run to its end',
  busy: 'was still running',
} as const;
