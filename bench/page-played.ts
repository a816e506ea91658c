/**
 * The lab's page as its server knows it: the stream of events, and what is asked for again after them, as often as the page
 * asks (web/lab/lab-state.ts). A hundred browsers are more than one machine has room for beside the server.
 */
const PAUSE_MS = 1_000;
const OVER = 'complete,failed,timedOut,cancelled,rejected';
const LISTS = [
  '/api/queue?after=0&limit=200',
  '/api/jobs?state=allocated&limit=200',
  `/api/jobs?state=${OVER}&limit=12`,
];

/** Opens one. @returns closes it */
export async function playPage(url: string): Promise<() => void> {
  const stop = new AbortController();
  const { signal } = stop;
  const text = async (path: string) => (await fetch(url + path, { signal })).text();
  const { position } = JSON.parse(await text('/api/health')) as { position: number };
  await Promise.all(['/api/devices', ...LISTS].map(text));
  let isStale = false;
  const follow = async () => {
    const headers = { accept: 'text/event-stream', 'last-event-id': String(position) };
    const { body } = await fetch(`${url}/api/events`, { headers, signal });
    for await (const chunk of body ?? [])
      isStale ||= Buffer.from(chunk as Uint8Array).includes('data: ');
  };
  const ask = async () => {
    while (!signal.aborted) {
      if (isStale) {
        isStale = false;
        await Promise.all(LISTS.map(text));
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  for (const part of [follow(), ask()])
    part.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  return () => stop.abort();
}
