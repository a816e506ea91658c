/** One member sends a message once, and another one ever after. */
export function longAfterOneSend(count: number): RecordedEvent<JobEvent>[] {
  const members = ['a', 'b'].map((device) => ({ device, role: device }));
  const send = (message: string, nth: number): JobEvent => ({
    type: 'MessageSent',
    data: { member: 'a', verb: 'send', message, count: nth, pairs: [] },
  });
  return [
    { type: 'JobAllocated', data: { lease: 'l', members } } satisfies JobEvent,
    send('config', 1),
    ...Array.from({ length: count }, (_, at) => send('tick', at + 1)),
  ].map((event, at) => recorded(event, at + 1));
}

function recorded(event: JobEvent, version: number): RecordedEvent<JobEvent> {
  const meta = { at: version, actor: 'test', causationId: '', correlationId: 'job-1' };
  const place = { id: String(version), stream: 'job-1', version, position: version };
  return { ...event, ...place, meta } as RecordedEvent<JobEvent>;
}

/** A job whose members sync again and again, as large as is asked for. */
import type { Evidence } from '../../answers/evidence.ts';
import type { JobEvent, RecordedEvent } from '../../machines/events.ts';
import { consoleOf } from './recorded.ts';

export interface LargeJob {
  members: number;
  rounds: number;
  /** Which of them does not come to the last round, but ends. */
  lost: number;
}

export function largeJob({ members, rounds, lost }: LargeJob): Evidence {
  const events: RecordedEvent<JobEvent>[] = [];
  const names = Array.from({ length: members }, (_, at) => `board${at}`);
  const add = (event: JobEvent) => {
    events.push(recorded(event, events.length + 1));
  };
  const data = (device: string) => ({ member: device });
  add({
    type: 'JobAllocated',
    data: { lease: 'l', members: names.map((device) => ({ device, role: 'node' })) },
  });
  for (const name of names) {
    add({ type: 'MemberBooting', data: data(name) });
    add({ type: 'MemberBooted', data: data(name) });
  }
  let wait = 0;
  for (let round = 1; round <= rounds; round++) {
    const here = names.filter((_, at) => round < rounds || at !== lost);
    const first = wait + 1;
    for (const name of here) {
      add({
        type: 'MessageSent',
        data: { member: name, verb: 'sync', message: 'tick', count: round, pairs: [] },
      });
      wait += 1;
      add({
        type: 'WaitStarted',
        data: {
          wait,
          member: name,
          verb: 'sync',
          message: 'tick',
          round,
          missingCount: 0,
          missing: [],
        },
      });
    }
    if (here.length === names.length)
      for (const [at, member] of here.entries())
        add({ type: 'WaitReleased', data: { wait: first + at, member } });
    else {
      const gone = names[lost] ?? '';
      add({ type: 'MemberCompleted', data: { member: gone } });
      const missing = [{ member: gone, role: 'node', state: 'complete', doing: '' }];
      for (const [at, member] of here.entries())
        add({
          type: 'WaitUnreachable',
          data: { wait: first + at, member, form: 'certain', missingCount: 1, missing, cycle: [] },
        });
    }
  }
  for (const name of names.filter((_, at) => at !== lost))
    add({
      type: 'MemberFailed',
      data: { member: name, reason: 'lava-sync tick can never be released' },
    });
  add({ type: 'JobFailed', data: { member: names[0] ?? '', reason: 'lava-sync tick' } });
  return { job: 1, events, sources: [], console: () => consoleOf('') };
}
