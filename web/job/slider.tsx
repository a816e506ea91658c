/** Where the page stands in the job: a slider over its events, its keys, and its pace when it plays. */
import { useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { nextOn } from './at.ts';
import type { Order } from './axis.ts';
import type { JobPage } from './job-state.ts';
import { isTyping } from './lanes.tsx';
import { askHere } from './what-if-menu.tsx';
import { eventText, sinceBoards } from './words.ts';

/** All of a job plays in so long. */
const PLAY_MS = 20_000;
const STEP_LARGE = 10;

export function Slider({ page }: { page: JobPage }) {
  useEffect(() => hearKeys(page), [page]);
  useSignalEffect(() => {
    return page.isPlaying.value ? play(page) : undefined;
  });
  const { fold } = page;
  const at = page.at.value;
  const count = page.count.value;
  const said = eventText(page, at);
  const isLast = page.chosen.value === undefined && !page.isEnded.value;
  const step = (by: number) => page.stand(at + by);
  return (
    <div class="slider">
      <div class="slider-buttons" role="group" aria-label="Step through the events">
        <button type="button" aria-label="One event back" title="←" onClick={() => step(-1)}>
          ‹
        </button>
        <button
          type="button"
          class="play"
          aria-label={page.isPlaying.value ? 'Pause' : 'Play'}
          title="space"
          onClick={() => toggle(page)}
        >
          {page.isPlaying.value ? '❚❚' : '▶'}
        </button>
        <button type="button" aria-label="One event on" title="→" onClick={() => step(1)}>
          ›
        </button>
      </div>
      <input
        type="range"
        min={1}
        max={Math.max(1, count)}
        value={at + 1}
        aria-label="Event"
        aria-valuetext={`event ${at + 1} of ${count}: ${said}`}
        onInput={({ currentTarget: { valueAsNumber } }) => page.stand(valueAsNumber - 1)}
      />
      <output class="slider-at">
        <b>{at + 1}</b> of {count} · {sinceBoards(fold, at)}
        {isLast && <span class="live">{page.isCaughtUp.value ? '● live' : '… reading'}</span>}
      </output>
      <OrderButtons order={page.order.value} set={(order) => page.setOrder(order)} />
    </div>
  );
}

export function OrderButtons({ order, set }: { order: Order; set(order: Order): void }) {
  return (
    <div class="order" role="group" aria-label="Order">
      {(['wall', 'causal'] as const).map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={order === each}
          title={
            each === 'wall'
              ? 'By the clock'
              : 'By cause and effect: how long the chain of causes is'
          }
          onClick={() => set(each)}
        >
          {each === 'wall' ? 'clock' : 'causal'}
        </button>
      ))}
    </div>
  );
}

function toggle(page: JobPage): void {
  if (!page.isPlaying.value && page.at.peek() >= page.fold.length - 1) page.playTo(0);
  page.isPlaying.value = !page.isPlaying.value;
}

/** @returns stops it */
function play(page: JobPage): () => void {
  const begin = page.positionOf(page.fold.start);
  const end = page.positionOf(page.fold.length - 1);
  let position = Math.max(begin, page.positionOf(page.at.peek()));
  let last = performance.now();
  let frame = requestAnimationFrame(function next(now) {
    position += ((now - last) / PLAY_MS) * (end - begin);
    last = now;
    page.playTo(Math.max(page.at.peek(), page.eventAt(position)));
    if (page.at.peek() >= page.fold.length - 1) page.isPlaying.value = false;
    else frame = requestAnimationFrame(next);
  });
  return () => cancelAnimationFrame(frame);
}

/** Arrows step, with Shift by ten; `[` and `]` stay on the chosen lane; space plays; `c` changes the order; `w` asks what if. */
function hearKeys(page: JobPage): () => void {
  const press = (event: KeyboardEvent) => {
    if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key, shiftKey } = event;
    const isOnButton =
      target instanceof HTMLElement && target.matches('button, a, summary, [type=checkbox]');
    const isInScroll = target instanceof HTMLElement && target.matches('[role=region]');
    const at = page.at.peek();
    const lane = page.lane.peek();
    const lanes = page.fold.lanes.length;
    const by = shiftKey ? STEP_LARGE : 1;
    const acts: Record<string, () => void> = {
      ArrowLeft: () => page.stand(at - by),
      ArrowRight: () => page.stand(at + by),
      Home: () => page.stand(0),
      End: () => page.stand(page.fold.length - 1),
      '[': () => page.stand(nextOn(page.fold, lane, at, -1) ?? at),
      ']': () => page.stand(nextOn(page.fold, lane, at, 1) ?? at),
      j: () => page.choose(Math.min(lanes - 1, lane + 1)),
      k: () => page.choose(Math.max(0, lane - 1)),
      c: () => page.setOrder(page.order.peek() === 'wall' ? 'causal' : 'wall'),
      w: () => askHere(page, document.querySelector('.slider')),
      ...(isOnButton ? {} : { ' ': () => toggle(page) }),
    };
    const act = acts[key];
    if (act === undefined || (isInScroll && (key === 'Home' || key === 'End'))) return;
    event.preventDefault();
    act();
  };
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
}
