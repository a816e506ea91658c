/** Where the page is: the address bar, as a signal. Every view can be linked to, and the back button works. */
import { computed, signal } from '@preact/signals';

const now = () => new URL(location.href);
const address = signal(now());

export const path = computed(() => address.value.pathname);
export const query = computed(() => address.value.searchParams);

addEventListener('popstate', () => {
  address.value = now();
});

/** Goes to another place of the page; the back button leads back. */
export function go(to: string): void {
  const before = location.pathname;
  history.pushState(null, '', to);
  address.value = now();
  if (location.pathname !== before) {
    scrollTo(0, 0);
    document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
  }
}

/** Changes parts of the query in place: what is looked at is in the address, and leaves no trail of steps. */
export function setQuery(changes: Record<string, string | readonly string[] | undefined>): void {
  const next = now();
  for (const [name, value] of Object.entries(changes)) {
    next.searchParams.delete(name);
    const values = typeof value === 'string' ? [value] : (value ?? []);
    for (const each of values) if (each !== '') next.searchParams.append(name, each);
  }
  if (next.href === location.href) return;
  history.replaceState(null, '', next);
  address.value = next;
}

/** One listener for all links: those within the page do not load it again. */
export function takeLinks(): void {
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest?.('a');
    if (link === null || link === undefined || event.defaultPrevented) return;
    const isPlain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!isPlain || event.button !== 0 || link.target !== '' || link.hasAttribute('download'))
      return;
    const to = new URL(link.href, location.href);
    if (to.origin !== location.origin || link.dataset.outside !== undefined) return;
    event.preventDefault();
    go(to.pathname + to.search + to.hash);
  });
}
