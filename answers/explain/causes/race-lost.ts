import type { ConsoleLine } from '../consoles.ts';
import { ago, type Call, isSend, overAt, wordsOf } from '../facts.ts';
import { failureAfter } from '../failure-after.ts';
import { type Cause, culpritOf, type Finding, firstOfEach, type Situation } from '../situation.ts';
import { callStep, endStep, found, who } from '../words.ts';
import { lateBoots } from './late-boots.ts';
import { lackedKeys } from './message-values.ts';
import { staleWaits } from './stale-waits.ts';

export const raceLost: Cause = {
  kind: 'race-lost',
  title: 'A race was lost',
  page: `What came first decided, and nothing in the test says what has to come first. Four forms of it are told:

- a wait gave up, or ran into its limit, and what it waited for came after it;
- two members send the same id with other values, or each with a key of its own, neither after the other, and a \`lava-wait\`
  took what was there;
- a member says that it is ready before it is: who was released by it found nobody there;
- a member waits for the same id again, and is released at once by the message that it had before: messages stay.

Give the wait a limit that fits, each sender an id of its own (or wait for all of a role: \`lava-wait-all ID ROLE\`), and send only when it is true.`,
  example: `server: lava-send server-ready; iperf -s     # sent before there is a server
client: lava-wait server-ready; iperf -c server`,
  find: (situation) => [
    ...came(situation),
    ...twoSenders(situation),
    ...firstOfSeveral(situation),
    ...tooEarly(situation),
    ...heardBefore(situation),
  ],
};

/** It came when the wait was over. */
function came(situation: Situation): Finding[] {
  const booted = new Set(lateBoots(situation).map(({ gap }) => gap.member));
  return firstOfEach(situation.gaps).flatMap(({ wait, member, absence }) => {
    // What can never be released does not lack whoever still comes.
    if (absence.why !== 'late' || booted.has(member) || wait.end?.how === 'unreachable') return [];
    const { call } = absence;
    const over = overAt(situation.group, wait);
    return [
      found({
        kind: 'race-lost',
        culprit: culpritOf(situation, wait),
        missing: [member.device],
        first: { member: wait.member, version: over.version },
        steps: [callStep(situation, wait), endStep(situation, wait), callStep(situation, call)],
        summary: `${who(wait.member)} gave up in ${wordsOf(wait)} after ${ago(over.at - wait.at)}; ${who(member)} came ${ago(call.at - over.at)} later`,
        advice: ['give the wait a limit that is longer than what it waits for takes'],
      }),
    ];
  });
}

/** Two senders of one id, and a wait that takes whichever is there. */
function twoSenders(situation: Situation): Finding[] {
  return situation.group.members.flatMap((member) => {
    const harm = situation.harms.get(member);
    if (harm === undefined || harm.deaths.length + harm.failures.length === 0) return [];
    const waits = member.calls.filter(
      ({ verb, end }) => verb === 'wait' && end?.how === 'released',
    );
    return waits.slice(-WAITS_LOOKED_AT).flatMap((wait) => ofTwo(situation, wait));
  });
}
/** What is long ago, and went well, is not what hurts now. */
const WAITS_LOOKED_AT = 40;

function ofTwo(situation: Situation, wait: Call): Finding[] {
  const hurt = failureAfter(situation, wait);
  if (hurt === undefined) return [];
  const sends = (situation.group.byMessage.get(wait.message) ?? []).filter(
    (call) =>
      isSend(call) &&
      call.member !== wait.member &&
      (wait.role === undefined || call.member.role === wait.role),
  );
  const [one, other] = rivals(situation, sends.slice(-SENDS_LOOKED_AT));
  if (one === undefined || other === undefined) return [];
  return [
    found({
      kind: 'race-lost',
      culprit: culpritOf(situation, wait),
      missing: [],
      first: { member: one.member, version: Math.min(one.version, other.version) },
      steps: [
        callStep(situation, one),
        callStep(situation, other),
        callStep(situation, wait),
        hurt,
      ],
      summary: `${who(one.member)} and ${who(other.member)} both send ${wait.message} with other values, and ${who(wait.member)} takes what comes first`,
      advice: [
        `give each an id of its own, or wait for all of one role: lava-wait-all ${wait.message} ${one.member.role}`,
      ],
    }),
  ];
}
const SENDS_LOOKED_AT = 16;

/** It reads what another one sends with the same id, and waited for one of them only. */
const firstOfSeveral = (situation: Situation): Finding[] =>
  lackedKeys(situation).flatMap(({ wait, send, key, other, hurt }) =>
    other === undefined
      ? []
      : [
          found({
            kind: 'race-lost',
            culprit: culpritOf(situation, wait),
            missing: [other.device],
            first: { member: wait.member, version: send.version },
            steps: [callStep(situation, send), callStep(situation, wait), hurt],
            summary: `${who(wait.member)} reads ${key} of message ${wait.message}, which ${who(other)} sends, and ${wordsOf(wait)} was over with that of ${who(send.member)}`,
            advice: [`wait for all of them: lava-wait-all ${wait.message} ${other.role}`],
          }),
        ],
  );

function rivals({ before }: Situation, sends: readonly Call[]): readonly Call[] {
  for (const [at, one] of sends.entries())
    for (const other of sends.slice(at + 1)) {
      if (one.member === other.member || before.order(one, other) !== 'concurrent') continue;
      const values = new Map(one.pairs);
      if (other.pairs.some(([key, value]) => values.has(key) && values.get(key) !== value))
        return [one, other];
    }
  return [];
}

/** Released at once by what had released the same wait before. */
const heardBefore = (situation: Situation): Finding[] =>
  staleWaits(situation).map(({ wait, old, next, hurt }) =>
    found({
      kind: 'race-lost',
      culprit: culpritOf(situation, wait),
      missing: [],
      first: { member: wait.member, version: wait.version },
      steps: [
        callStep(situation, old),
        callStep(situation, wait, `${who(wait.member)} calls ${wordsOf(wait)} again`),
        hurt,
        callStep(situation, next),
      ],
      summary: `${who(wait.member)} waits for ${wait.message} again, and hears what ${who(old.member)} had said before: the next message came later`,
      advice: ['give each message an id of its own: a message stays for whoever waits later'],
    }),
  );

const NOBODY_THERE =
  /connection refused|could not connect|unable to connect|failed to connect|can't connect|cannot connect|no route to host|connection reset|connect failed/i;

/** Who was released by it found nobody there. */
function tooEarly(situation: Situation): Finding[] {
  const stale = new Set(staleWaits(situation).map(({ wait }) => wait));
  return situation.group.members.flatMap((member) => {
    const wait = member.calls.findLast((call) => call.end?.how === 'released');
    const hurt = wait === undefined ? undefined : failureAfter(situation, wait);
    if (wait === undefined || hurt === undefined) return [];
    if (stale.has(wait)) return [];
    const said = foundNobody(situation, wait);
    const send = said === undefined ? undefined : saidTooEarly(situation, wait);
    if (said === undefined || send === undefined) return [];
    return [
      found({
        kind: 'race-lost',
        culprit: culpritOf(situation, send),
        missing: [],
        first: { member: send.member, version: send.version },
        steps: [
          callStep(situation, send),
          callStep(situation, wait),
          {
            text: `the console of ${who(member)}`,
            device: member.device,
            offset: said.offset,
            said: said.text,
          },
          hurt,
        ],
        summary: `${who(send.member)} said ${wordsOf(send)} before it was: ${who(member)} found nobody there`,
        advice: ['send only when it is true: when the port answers, the file is there'],
      }),
    ];
  });
}

/** By whose word a wait was over; of a sync where all but one are no candidates. */
function saidTooEarly({ group }: Situation, wait: Call): Call | undefined {
  const release = wait.end?.version ?? 0;
  const sends = (group.byMessage.get(wait.message) ?? []).filter(
    (call) => isSend(call) && call.member !== wait.member && call.version <= release,
  );
  if (wait.verb !== 'sync') return sends.at(-1);
  const last = sends.filter(({ round }) => round === wait.round);
  return last.length === 1 ? last[0] : undefined;
}

/** Programs that reach for another board, and say so by their status alone when nobody is there. */
const REACHES =
  /(?:^|[\s;&|(/])(?:curl|wget|nc|ncat|netcat|telnet|ssh|scp|sftp|rsync|iperf3?|netperf|redis-cli|psql|mysql|mqtt\w*|mosquitto_\w+|tftp|ftp|socat|mount\.nfs|showmount|ping6?)\s|\/dev\/(?:tcp|udp)\//;

/** The line of its console by which nobody was there: a program says so, or one that reaches for others was the last that ran. */
function foundNobody(situation: Situation, wait: Call): ConsoleLine | undefined {
  const { member } = wait;
  const said = situation.said.get(member.device) ?? [];
  const from = wait.console ?? 0;
  const words = said.findLast(({ text, offset }) => offset >= from && NOBODY_THERE.test(text));
  if (words !== undefined) return words;
  // Who only meets says nothing of a service.
  if (wait.verb === 'sync') return undefined;
  return behind(situation, wait).some((text) => REACHES.test(` ${text} `))
    ? said.at(-1)
    : undefined;
}

/** The lines behind a call, up to the end of its branch. */
function behind(situation: Situation, call: Call): string[] {
  const place = situation.placeOf(call);
  const scripts = situation.places
    .suitesOf(call.member.device)
    .filter(({ suite }) => suite === place?.suite)
    .flatMap((source) => situation.places.linesOf(source, place?.file ?? ''));
  const lines = scripts.slice(place?.line ?? 0);
  const end = lines.findIndex((text) => /^\s*(?:;;|fi\b|else\b|elif\b|esac\b|\})/.test(text));
  return lines.slice(0, end === -1 ? LINES_BEHIND_MAX : Math.min(end, LINES_BEHIND_MAX));
}
const LINES_BEHIND_MAX = 12;
