/** What a board prints, as it prints it, until its member has ended. What it printed is text. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { request, toldOf } from '../api/client.ts';
import { consolePath } from '../job/console.tsx';
import { Printed } from '../job/printed.tsx';
import { Trouble } from '../ui/parts.tsx';

const KEPT_CHARACTERS_MAX = 100_000;
const RETRY_MS = 1_000;

export function LiveConsole({ job, device }: { job: number; device: string }) {
  const text = useSignal('');
  const isOver = useSignal(false);
  const trouble = useSignal('');
  const pane = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const stop = new AbortController();
    const take = (more: string) => {
      const element = pane.current;
      const isAtEnd =
        element === null || element.scrollTop + element.clientHeight > element.scrollHeight - 30;
      text.value = lastOf(text.value + more);
      if (isAtEnd)
        requestAnimationFrame(() => pane.current?.scrollTo(0, pane.current.scrollHeight));
    };
    void (async () => {
      for (let from = 0; !stop.signal.aborted; ) {
        try {
          const path = `${consolePath(job, device)}?follow=true&from=${from}`;
          const { body } = await request(path, { signal: stop.signal });
          const decoder = new TextDecoder();
          trouble.value = '';
          for (const reader = body?.getReader(); reader !== undefined; ) {
            const { done, value } = await reader.read();
            if (done) {
              isOver.value = true;
              return;
            }
            from += value.length;
            take(decoder.decode(value, { stream: true }));
          }
        } catch (error) {
          if (stop.signal.aborted) return;
          trouble.value = toldOf(error);
          await new Promise((done) => setTimeout(done, RETRY_MS));
        }
      }
    })();
    return () => stop.abort();
  }, [job, device]);
  return (
    <>
      {trouble.value !== '' && <Trouble>{trouble.value}</Trouble>}
      <pre
        ref={pane}
        class="console-text live-text"
        role="region"
        aria-label={`Console of ${device}`}
        tabIndex={0}
      >
        {text.value === '' ? (
          <span class="soft">(nothing yet)</span>
        ) : (
          <Printed text={text.value} isOpen={!isOver.value} />
        )}
        {isOver.value && <span class="soft">{'\n'}(its part in the job is over)</span>}
      </pre>
    </>
  );
}

/** The end of a text that has grown too long, from a line's beginning on. */
function lastOf(text: string): string {
  if (text.length <= KEPT_CHARACTERS_MAX) return text;
  const from = text.length - KEPT_CHARACTERS_MAX;
  return text.slice(text.indexOf('\n', from - 1) + 1 || from);
}
