/** The menu on a message or a member: what could have been otherwise there. */
import { useEffect, useRef } from 'preact/hooks';
import type { JobPage } from './job-state.ts';
import type { AskedOf } from './run.ts';
import { type Change, offersAt } from './what-if-changes.ts';
import { eventText } from './words.ts';

export function WhatIfMenu({ page, add }: { page: JobPage; add(change: Change): void }) {
  const asked = page.asked.value;
  if (asked === undefined) return null;
  return <Menu page={page} asked={asked} add={add} />;
}

/** Opens the menu for the event at which the page stands; of an event of the job itself for the member that is chosen. */
export function askHere(page: JobPage, from: Element | null): void {
  const event = page.at.peek();
  const own = page.fold.laneOf[event] ?? -1;
  const lane = own >= 0 ? own : Math.max(0, page.lane.peek());
  if (page.fold.lanes.length === 0 || from === null) return;
  const { left, bottom } = from.getBoundingClientRect();
  page.ask({ lane, event, x: left, y: bottom });
}

const MARGIN = 8;

function Menu(props: { page: JobPage; asked: AskedOf; add(change: Change): void }) {
  const { page, asked, add } = props;
  const box = useRef<HTMLDivElement>(null);
  const close = () => {
    page.asked.value = undefined;
  };
  useEffect(() => {
    const before = document.activeElement;
    const menu = box.current;
    if (menu === null) return;
    // It stays within the window, whatever was pressed.
    // On a wall all of the page is larger: places on the screen are not those on the page.
    const zoom = menu.currentCSSZoom ?? 1;
    const left = Math.min(asked.x, innerWidth - menu.offsetWidth * zoom - MARGIN);
    const top = Math.min(asked.y, innerHeight - menu.offsetHeight * zoom - MARGIN);
    menu.style.left = `${Math.max(MARGIN, left) / zoom}px`;
    menu.style.top = `${Math.max(MARGIN, top) / zoom}px`;
    menu.querySelector('button')?.focus({ preventScroll: true });
    const outside = (event: Event) => {
      if (!menu.contains(event.target as Node)) close();
    };
    addEventListener('pointerdown', outside);
    return () => {
      removeEventListener('pointerdown', outside);
      if (before instanceof HTMLElement && document.activeElement === document.body) before.focus();
    };
  }, [asked]);
  const step = (by: number) => {
    const items = [...(box.current?.querySelectorAll('button') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    items[(at + by + items.length) % items.length]?.focus();
  };
  const press = (event: KeyboardEvent) => {
    const acts: Record<string, () => void> = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Home: () => box.current?.querySelector('button')?.focus(),
      Escape: close,
      Tab: close,
    };
    const act = acts[event.key];
    if (act === undefined) {
      // Not for the slider: an item is pressed with them.
      if (event.key === ' ' || event.key === 'Enter') event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  return (
    <div ref={box} class="menu">
      <p class="menu-head">
        <b>What if…</b> <span class="soft">{eventText(page, asked.event)}</span>
      </p>
      <div role="menu" aria-label="What if" tabIndex={-1} onKeyDown={press}>
        {offersAt(page.fold, asked.lane, asked.event).map(({ text, change }) => (
          <button
            key={text}
            type="button"
            role="menuitem"
            tabIndex={-1}
            onClick={() => {
              close();
              add(change);
            }}
          >
            {text}
          </button>
        ))}
      </div>
    </div>
  );
}
