/** Who shares an append that takes long: those who speak while another is under way, and those whom that one answers. */
import { describe, expect, it } from 'vitest';
import { LONG_MS_MIN, MOMENT_MS } from '../../engine/gathering.ts';
import { openMemoryStore } from '../../store/memory.ts';
import type { EventStore } from '../../store/port.ts';
import { allocated, booted, call, jobOf, startEngine } from './bench.ts';
import { portOf } from './cluster.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A job whose boards have booted; from then on an append takes so long. */
async function talkers(boards: number, appendMs: number) {
  const time = new VirtualClock();
  const { after } = time.clock();
  const memory = openMemoryStore();
  const began: number[] = [];
  let isSlow = false;
  const append: EventStore['append'] = async (...words) => {
    if (isSlow) {
      began.push(time.now());
      await new Promise<void>((resolve) => after(appendMs, resolve));
    }
    return memory.append(...words);
  };
  const store = { ...portOf(memory), append };
  const { engine } = await startEngine({ clock: time.clock, store }, boards);
  const id = await allocated(engine, jobOf({ peer: boards }));
  const members = await booted(engine, id);
  isSlow = true;
  const from = time.now();
  const say = (member = '', words = '') => call(engine, id, member, words);
  return { time, members, say, began: () => began.map((at) => at - from) };
}

describe('an append that takes long', () => {
  it('is shared by boards that speak again and again: they do not become two halves that take turns', async () => {
    const { time, members, say, began } = await talkers(8, LONG_MS_MIN);
    const talk = async (member: string) => {
      for (let n = 0; n < 20; n++) await say(member, `send n${n}`);
    };
    // The first is alone in its append: the others come a little later.
    const [first = '', ...others] = members;
    const ended = [talk(first)];
    await time.pass(LONG_MS_MIN / 2);
    ended.push(...others.map(talk));
    await time.pass(1_000);
    await Promise.all(ended);
    expect(began()).toHaveLength(1 + 20);
  });

  it('is not waited with for longer than a moment', async () => {
    const { time, members, say, began } = await talkers(3, LONG_MS_MIN);
    const [first, second, third] = members;
    void say(first, 'send a');
    await time.pass(0);
    void say(second, 'send b');
    await time.pass(LONG_MS_MIN);
    // The moment of the second append is over when the third board speaks.
    await time.pass(100);
    void say(third, 'send c');
    await time.pass(100);
    expect(began()).toEqual([0, LONG_MS_MIN + MOMENT_MS, LONG_MS_MIN + 100]);
  });

  it('is not waited with for who waits for another board', async () => {
    const { time, members, say, began } = await talkers(2, LONG_MS_MIN);
    const [first, second] = members;
    const woken = say(first, 'wait go');
    await time.pass(0);
    void say(second, 'send go');
    await time.pass(100);
    expect(began()).toEqual([0, LONG_MS_MIN]);
    expect(await woken).toMatchObject({ status: 'ok' });
  });
});

it('an append that is quick is waited with for nobody', async () => {
  const { time, members, say, began } = await talkers(2, LONG_MS_MIN - 1);
  const [first, second] = members;
  void say(first, 'send a');
  await time.pass(0);
  void say(second, 'send b');
  await time.pass(100);
  expect(began()).toEqual([0, LONG_MS_MIN - 1]);
});
