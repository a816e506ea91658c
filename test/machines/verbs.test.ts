/** The verbs table of SEMANTICS 2, rule by rule. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Lab } from './lab.ts';

/** The seed's self scope (others) and upstream's (all). */
const others = { countsSelf: false };
const everyone = { countsSelf: true };
const scopes = [
  ['others', others],
  ['everyone', everyone],
] as const;

describe('lava-send', () => {
  it('never blocks: it is recorded with its pairs, and nothing waits', () => {
    const lab = new Lab('a:r b:r');
    lab.send('a', 'x', 'ip=10.0.0.1', 'port=80');
    const pairs = [
      ['ip', '10.0.0.1'],
      ['port', '80'],
    ];
    expect(lab.only('MessageSent')).toEqual({
      member: 'a',
      verb: 'send',
      message: 'x',
      count: 1,
      pairs,
    });
    expect(lab.state.conversation.waits.flat()).toEqual([]);
  });

  it('is counted: a second send of the same id is recorded too', () => {
    const lab = new Lab('a:r b:r');
    lab.send('a', 'x');
    lab.send('a', 'x');
    lab.send('b', 'x');
    expect(lab.all('MessageSent').map((m) => [m.member, m.count])).toEqual([
      ['a', 1],
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('releases nobody who waits for another id', () => {
    const lab = new Lab('a:r b:r');
    const wait = lab.wait('a', 'x');
    lab.send('b', 'y');
    expect(lab.is(wait)).toBe('open');
  });
});

describe('lava-wait', () => {
  it('blocks until any one other member has sent the id', () => {
    const lab = new Lab('a:r b:r c:r');
    const wait = lab.wait('a', 'x');
    expect(lab.is(wait)).toBe('open');
    expect(lab.member('a').state).toBe('waiting');
    lab.send('c', 'x');
    expect(lab.is(wait)).toBe('released');
    expect(lab.member('a').state).toBe('synced');
    expect(lab.only('WaitReleased')).toEqual({ wait, member: 'a', by: 'c' });
  });

  it('does not take the own send for an answer where others count', () => {
    const lab = new Lab('a:r b:r', others);
    lab.send('a', 'x');
    const wait = lab.wait('a', 'x');
    lab.send('a', 'x');
    expect(lab.is(wait)).toBe('open');
  });

  it('takes the own send for an answer where all count', () => {
    const lab = new Lab('a:r b:r', everyone);
    lab.send('a', 'x');
    expect(lab.is(lab.wait('a', 'x'))).toBe('released');
  });

  it('names who is missing when it starts', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.wait('b', 'x');
    expect(lab.only('WaitStarted')).toEqual({
      wait: 1,
      member: 'b',
      verb: 'wait',
      message: 'x',
      round: 1,
      missingCount: 2,
      missing: ['a', 'c'],
    });
  });

  it('gives the pairs of all counted senders merged in log order, the later one wins', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.send('b', 'x', 'ip=1', 'b=b');
    lab.send('c', 'x', 'ip=2', 'c=c');
    lab.send('b', 'x', 'ip=3');
    lab.send('a', 'x', 'ip=mine');
    expect(lab.lines(lab.wait('a', 'x'))).toEqual(['ip=3', 'b=b', 'c=c']);
  });

  it('merges the own pairs too where all count', () => {
    const lab = new Lab('a:r b:r', everyone);
    lab.send('b', 'x', 'ip=1');
    lab.send('a', 'x', 'ip=mine');
    expect(lab.lines(lab.wait('a', 'x'))).toEqual(['ip=mine']);
  });

  it('gives no lines when no data came', () => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x');
    expect(lab.lines(lab.wait('a', 'x'))).toEqual([]);
  });
});

describe('lava-wait-all', () => {
  it('blocks until every other member has sent the id, and says who came last', () => {
    const lab = new Lab('a:r b:r c:r');
    const wait = lab.waitAll('a', 'x');
    lab.send('c', 'x');
    expect(lab.is(wait)).toBe('open');
    lab.send('b', 'x');
    expect(lab.only('WaitReleased')).toEqual({ wait, member: 'a', by: 'b' });
  });

  it('does not need the own send where others count', () => {
    const lab = new Lab('a:r b:r', others);
    const wait = lab.waitAll('a', 'x');
    lab.send('b', 'x');
    expect(lab.is(wait)).toBe('released');
  });

  it('needs the own send where all count', () => {
    const lab = new Lab('a:r b:r', everyone);
    lab.send('b', 'x');
    const wait = lab.waitAll('a', 'x');
    expect(lab.is(wait)).toBe('open');
    expect(lab.asked(wait).missing).toEqual(['a']);
  });

  it('is released by what the own board sends in the background, and says so', () => {
    const lab = new Lab('a:r b:r', { ...everyone, onUnreachable: 'wait' });
    lab.send('b', 'x');
    const wait = lab.waitAll('a', 'x');
    lab.send('a', 'x');
    expect(lab.only('WaitReleased')).toEqual({ wait, member: 'a', by: 'a' });
  });

  it('is not satisfied by one member that sends twice', () => {
    const lab = new Lab('a:r b:r c:r');
    const wait = lab.waitAll('a', 'x');
    lab.send('b', 'x');
    lab.send('b', 'x');
    expect(lab.is(wait)).toBe('open');
  });

  it('gives lines `name:key=value`, the latest value a sender and key, in the order in which they first came', () => {
    const lab = new Lab('a:r b:r c:r');
    lab.send('c', 'x', 'k=c1', 'z=c2');
    lab.send('b', 'x', 'k=b1');
    lab.send('c', 'x', 'k=c3', 'new=c4');
    expect(lab.lines(lab.waitAll('a', 'x'))).toEqual(['c:k=c3', 'c:z=c2', 'b:k=b1', 'c:new=c4']);
  });

  it.each(scopes)('gives the own lines only where all count (%s)', (_, scope) => {
    const lab = new Lab('a:r b:r', scope);
    lab.send('a', 'x', 'k=mine');
    lab.send('b', 'x', 'k=theirs');
    expect(lab.lines(lab.waitAll('a', 'x'))).toEqual(
      scope.countsSelf ? ['a:k=mine', 'b:k=theirs'] : ['b:k=theirs'],
    );
  });
});

describe('lava-wait-all with a role', () => {
  it('waits for the members of that role only, and gives their lines only', () => {
    const lab = new Lab('a:client b:server c:server d:client');
    lab.send('d', 'x', 'k=client');
    const wait = lab.waitAll('a', 'x', 'server');
    expect(lab.asked(wait)).toMatchObject({ role: 'server', missing: ['b', 'c'] });
    lab.send('b', 'x', 'k=1');
    expect(lab.is(wait)).toBe('open');
    lab.send('c', 'x', 'k=2');
    expect(lab.lines(wait)).toEqual(['b:k=1', 'c:k=2']);
  });

  it('does not wait for the caller, who plays that role, where others count', () => {
    const lab = new Lab('a:server b:server c:client', others);
    lab.send('b', 'x');
    expect(lab.is(lab.waitAll('a', 'x', 'server'))).toBe('released');
  });

  it('waits for the caller too where all count', () => {
    const lab = new Lab('a:server b:server c:client', { ...everyone, onUnreachable: 'wait' });
    lab.send('b', 'x');
    expect(lab.is(lab.waitAll('a', 'x', 'server'))).toBe('open');
  });
});

describe('lava-sync', () => {
  it('sends and waits for the same round of every other member', () => {
    const lab = new Lab('a:r b:r c:s');
    const first = lab.sync('a', 'x');
    const second = lab.sync('b', 'x');
    expect([lab.is(first), lab.is(second)]).toEqual(['open', 'open']);
    const third = lab.sync('c', 'x');
    expect([first, second, third].map((w) => lab.is(w))).toEqual([
      'released',
      'released',
      'released',
    ]);
    expect(lab.all('WaitReleased')).toEqual([
      { wait: first, member: 'a', by: 'c' },
      { wait: second, member: 'b', by: 'c' },
      { wait: third, member: 'c' },
    ]);
  });

  it('never waits for its own caller, not even where all count', () => {
    const lab = new Lab('a:r b:r', everyone);
    const wait = lab.sync('a', 'x');
    expect(lab.asked(wait).missing).toEqual(['b']);
  });

  it('gives no data and takes none', () => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x', 'k=1');
    expect(lab.lines(lab.sync('a', 'x'))).toEqual([]);
    expect(lab.all('MessageSent')[1]).toMatchObject({ verb: 'sync', pairs: [] });
  });

  it('makes a new round of a reused id', () => {
    const lab = new Lab('a:r b:r');
    lab.sync('a', 'x');
    lab.sync('b', 'x');
    const again = lab.sync('a', 'x');
    expect(lab.asked(again).round).toBe(2);
    expect(lab.is(again)).toBe('open');
    lab.sync('b', 'x');
    expect(lab.is(again)).toBe('released');
  });

  it('lets a fast member start the next round before the slow one has left this one', () => {
    const lab = new Lab('a:r b:r c:r');
    for (const member of ['a', 'b', 'c']) lab.sync(member, 'x');
    const a2 = lab.sync('a', 'x');
    const b2 = lab.sync('b', 'x');
    expect([lab.is(a2), lab.is(b2)]).toEqual(['open', 'open']);
    lab.sync('c', 'x');
    expect([lab.is(a2), lab.is(b2)]).toEqual(['released', 'released']);
  });

  it('is a send for a lava-wait and a lava-wait-all of the same id', () => {
    const lab = new Lab('a:r b:r c:r');
    const wait = lab.wait('a', 'x');
    const all = lab.waitAll('a', 'x', 'r');
    lab.sync('b', 'x');
    expect([lab.is(wait), lab.is(all)]).toEqual(['released', 'open']);
    lab.sync('c', 'x');
    expect(lab.is(all)).toBe('released');
  });

  it('takes a lava-send of the others for their part: lava-sync foo is lava-send foo and then waiting', () => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x');
    expect(lab.is(lab.sync('a', 'x'))).toBe('released');
  });

  it('counts the own earlier send: its round is how often it has sent the id by now', () => {
    const lab = new Lab('a:r b:r');
    lab.send('a', 'x');
    const wait = lab.sync('a', 'x');
    expect(lab.asked(wait).round).toBe(2);
    lab.send('b', 'x');
    expect(lab.is(wait)).toBe('open');
    lab.send('b', 'x');
    expect(lab.is(wait)).toBe('released');
  });
});

describe('a sync from which its member was not released', () => {
  it('is taken up again after it was abandoned: a retry is no new round and no new send', () => {
    const lab = new Lab('a:r b:r');
    lab.abandon(lab.sync('a', 'x'));
    const retry = lab.sync('a', 'x');
    expect(lab.asked(retry).round).toBe(1);
    expect(lab.all('MessageSent')).toHaveLength(1);
    lab.sync('b', 'x');
    expect(lab.is(retry)).toBe('released');
  });

  it('is taken up again and released at once when the others came meanwhile', () => {
    const lab = new Lab('a:r b:r');
    lab.abandon(lab.sync('a', 'x'));
    lab.sync('b', 'x');
    const retry = lab.sync('a', 'x');
    expect(lab.is(retry)).toBe('released');
    expect(lab.asked(lab.sync('a', 'x')).round).toBe(2);
  });

  it('is taken up again after it failed as unreachable', () => {
    const lab = new Lab('a:r b:r c:r');
    const sync = lab.sync('a', 'x');
    lab.fail('b');
    expect(lab.is(sync)).toBe('unreachable');
    const retry = lab.sync('a', 'x');
    expect(lab.asked(retry).round).toBe(1);
    expect(lab.all('MessageSent')).toHaveLength(1);
  });

  it('keeps its round when the member sends the id again in between', () => {
    const lab = new Lab('a:r b:r');
    lab.abandon(lab.sync('a', 'x'));
    lab.send('a', 'x');
    expect(lab.asked(lab.sync('a', 'x')).round).toBe(1);
  });

  it('does not touch the rounds of other ids', () => {
    const lab = new Lab('a:r b:r');
    lab.abandon(lab.sync('a', 'x'));
    expect(lab.asked(lab.sync('a', 'y')).round).toBe(1);
    expect(lab.all('MessageSent').map((m) => m.message)).toEqual(['x', 'y']);
  });
});

describe('messages persist for the life of the group', () => {
  it.each(['wait', 'waitAll', 'sync'] as const)('a late %s gets them at once', (verb) => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x', 'k=v');
    const late = lab[verb]('a', 'x');
    expect(lab.is(late)).toBe('released');
    expect(lab.asked(late)).toMatchObject({ missingCount: 0, missing: [] });
    expect(lab.only('WaitReleased')).toEqual({ wait: late, member: 'a' });
  });

  it('what a member sent before it ended stays', () => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x', 'k=v');
    lab.fail('b');
    expect(lab.lines(lab.waitAll('a', 'x'))).toEqual(['b:k=v']);
  });

  it('a wait again after its release is released again', () => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x');
    expect(lab.is(lab.wait('a', 'x'))).toBe('released');
    expect(lab.is(lab.wait('a', 'x'))).toBe('released');
  });
});

describe('nobody to wait for', () => {
  it.each(['wait', 'waitAll', 'sync'] as const)('%s in a group of one returns at once', (verb) => {
    const lab = new Lab('a:r', others);
    expect(lab.is(lab[verb]('a', 'x'))).toBe('released');
    expect(lab.member('a').state).toBe('synced');
  });

  it('a sync in a group of one returns at once where all count too', () => {
    const lab = new Lab('a:r', everyone);
    expect(lab.is(lab.sync('a', 'x'))).toBe('released');
  });

  it('a wait for a role that only the caller plays returns at once where others count', () => {
    const lab = new Lab('a:server b:client c:client', others);
    expect(lab.is(lab.waitAll('a', 'x', 'server'))).toBe('released');
  });

  it('a wait for a role that has no board returns at once', () => {
    const roles = [
      { role: 'r', count: 2, deviceType: 'panda', tags: [] },
      { role: 'spare', count: 0, deviceType: 'panda', tags: [] },
    ];
    const lab = new Lab('a:r b:r', { roles });
    expect(lab.is(lab.waitAll('a', 'x', 'spare'))).toBe('released');
  });
});

describe('several waits of one board', () => {
  it('leave the member waiting until the last of them has ended', () => {
    const lab = new Lab('a:r b:r');
    lab.wait('a', 'x');
    lab.wait('a', 'y');
    lab.send('b', 'x');
    expect(lab.member('a')).toMatchObject({ state: 'waiting', openWaits: 1 });
    lab.send('b', 'y');
    expect(lab.member('a')).toMatchObject({ state: 'synced', openWaits: 0 });
  });

  it('are each released on their own', () => {
    const lab = new Lab('a:r b:r');
    const [x, y] = [lab.wait('a', 'x'), lab.sync('a', 'y')];
    lab.send('b', 'y');
    expect([lab.is(x), lab.is(y)]).toEqual(['open', 'released']);
  });

  it('lead back to booted when the last one to end was given up', () => {
    const lab = new Lab('a:r b:r');
    const [x, y] = [lab.wait('a', 'x'), lab.wait('a', 'y')];
    lab.send('b', 'x');
    lab.abandon(y);
    expect([lab.is(x), lab.is(y)]).toEqual(['released', 'abandoned']);
    expect(lab.member('a').state).toBe('booted');
  });
});

describe('many waiters', () => {
  it('are released by one append, in the order in which they started', () => {
    const names = Array.from({ length: 20 }, (_, i) => `b${i}`);
    const lab = new Lab(names.map((name) => [name, 'r'] as const));
    for (const name of names.slice(1)) lab.sync(name, 'x');
    const events = lab.call('b0', 'sync', 'x');
    const released = events.flatMap((e) => (e.type === 'WaitReleased' ? [e.data.member] : []));
    expect(released).toEqual([...names.slice(1), 'b0']);
  });

  it('name only the first eight that are missing, and count all', () => {
    const names = Array.from({ length: 20 }, (_, i) => `b${i}`);
    const lab = new Lab(names.map((name) => [name, 'r'] as const));
    lab.waitAll('b0', 'x');
    expect(lab.only('WaitStarted')).toMatchObject({
      missingCount: 19,
      missing: names.slice(1, 9),
    });
  });
});

describe('names that JavaScript objects have of their own', () => {
  const odd = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

  it.each(odd)('an id %s is an id like any other', (id) => {
    const lab = new Lab('a:r b:r');
    const wait = lab.waitAll('a', id);
    expect(lab.is(wait)).toBe('open');
    const sync = lab.sync('b', id);
    expect([lab.is(wait), lab.is(sync)]).toEqual(['released', 'open']);
    lab.abandon(sync);
    expect(lab.asked(lab.sync('b', id)).round).toBe(1);
    lab.sync('a', id);
    expect(lab.asked(lab.sync('b', id)).round).toBe(2);
    // vitest's own equality looks at `constructor`, which is data here.
    expect(isDeepStrictEqual(JSON.parse(JSON.stringify(lab.state)), lab.state)).toBe(true);
  });

  it.each(odd)('a key %s is a key like any other', (key) => {
    const lab = new Lab('a:r b:r');
    lab.send('b', 'x', `${key}=v`);
    expect(lab.lines(lab.wait('a', 'x'))).toEqual([`${key}=v`]);
    expect(lab.lines(lab.waitAll('a', 'x'))).toEqual([`b:${key}=v`]);
  });

  it.each(odd)('a role %s is a role like any other', (role) => {
    const lab = new Lab([
      ['a', role],
      ['b', 'r'],
    ]);
    const wait = lab.waitAll('b', 'x', role);
    lab.send('a', 'x');
    expect(lab.is(wait)).toBe('released');
  });

  it.each(['constructor', 'toString', 'hasOwnProperty'])('a board %s is like any other', (name) => {
    const lab = new Lab([
      [name, 'r'],
      ['b', 'r'],
    ]);
    lab.sync(name, 'x');
    lab.sync('b', 'x');
    expect(lab.all('WaitReleased').map((w) => w.member)).toEqual([name, 'b']);
  });

  it.each(odd)('nobody called %s is a member of a group that lacks it', (member) => {
    const lab = new Lab('a:r');
    expect(lab.try({ type: 'CallVerb', member, verb: 'send', words: ['x'] })).toMatchObject({
      code: 'no-such-member',
    });
  });
});
