/** What an answer would have needed: said, so that nobody takes its silence for a finding. */
import type { Situation } from './situation.ts';
import { listed } from './words.ts';

export function unseenOf({ group, places, failed, deaths }: Situation): string[] {
  const { holes, members, forgotten } = group;
  const unseen: string[] = [];
  if (holes.length > 0)
    unseen.push(`events ${listed(holes.map(String))} are not in the log that was read`);
  if (forgotten > 0)
    unseen.push(
      `${forgotten} calls that were over long before the end were counted, and not looked at`,
    );
  const ran = members.filter(({ suites }) => suites.length > 0);
  const without = ran.filter(({ device }) => !places.knows(device));
  const asks = failed.length > 0 || deaths.length > 0;
  if (asks && without.length > 0)
    unseen.push(
      `the sources of ${listed(without.map(({ device }) => device))} were not kept, so no lines can be named`,
    );
  const mute = ran.filter(
    ({ calls }) => calls.length > 0 && calls.every(({ from }) => from === undefined),
  );
  if (asks && mute.length > 0)
    unseen.push(
      `${listed(mute.map(({ device }) => device))} did not say which script called: lines are found by their words`,
    );
  return unseen;
}
