/** A list of rows of one height, of which only those in sight exist: ten thousand scroll like ten. */

import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Drawn above and below what is in sight. */
const SPARE_PIXELS = 200;

export interface RowsProps {
  count: number;
  rowHeight: number;
  /** In how many columns the items lie. */
  columns?: number;
  /** The item that is kept in sight when it changes. */
  focus?: number | undefined;
  label: string;
  class?: string;
  /**
   * Each is an element with the role `listitem`, without a key: what scrolls out of sight is written over with what comes into
   * it, which costs a browser a part of making it anew.
   */
  row(index: number): ComponentChildren;
  /** What is drawn now, up to and without `end`. */
  onSeen?(begin: number, end: number): void;
}

export function Rows({ count, rowHeight, columns = 1, focus, label, row, ...rest }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const lines = Math.ceil(count / columns);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    const element = box.current;
    if (element === null || focus === undefined) return;
    const at = Math.floor(focus / columns) * rowHeight;
    if (at < element.scrollTop) element.scrollTop = at - rowHeight;
    else if (at + 2 * rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = at + 2 * rowHeight - element.clientHeight;
  }, [focus, columns, rowHeight]);
  const first = Math.max(0, Math.floor((view.top - SPARE_PIXELS) / rowHeight));
  const last = Math.min(lines, Math.ceil((view.top + view.height + SPARE_PIXELS) / rowHeight));
  const [begin, end] = [first * columns, Math.min(count, last * columns)];
  useEffect(() => rest.onSeen?.(begin, end), [begin, end]);
  const items: ComponentChildren[] = [];
  for (let at = begin; at < end; at++) items.push(row(at));
  return (
    <div
      ref={box}
      class={`rows ${rest.class ?? ''}`}
      role="region"
      aria-label={label}
      tabIndex={0}
      style={{ height: `min(var(--rows-max), ${lines * rowHeight}px)` }}
      onScroll={({ currentTarget: { scrollTop: top, clientHeight: height } }) =>
        setView({ top, height })
      }
    >
      <div class="rows-all" style={{ height: `${lines * rowHeight}px` }}>
        <div
          class="rows-seen"
          role="list"
          aria-label={`${label}: ${count}`}
          style={{
            transform: `translateY(${first * rowHeight}px)`,
            ...(columns > 1 && { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }),
          }}
        >
          {items}
        </div>
      </div>
    </div>
  );
}
