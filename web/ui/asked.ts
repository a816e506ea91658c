/** An answer of the API as a signal: asked for when its address changes, and again when it is told to. */
import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, toldOf } from '../api/client.ts';

export interface Asked<T> {
  answer: Signal<T | undefined>;
  trouble: Signal<string>;
  again(): void;
}

/** @param stale when it changes the same is asked for again, and what is shown stays until the answer is there */
export function useAsked<T>(path: string | undefined, stale: unknown = 0): Asked<T> {
  const answer = useSignal<T | undefined>(undefined);
  const trouble = useSignal('');
  const round = useSignal(0);
  useEffect(() => {
    answer.value = undefined;
  }, [path]);
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    get<T>(path, stop.signal).then(
      (got) => {
        answer.value = got;
        trouble.value = '';
      },
      (error: unknown) => {
        if (!stop.signal.aborted) trouble.value = toldOf(error);
      },
    );
    return () => stop.abort();
  }, [path, stale, round.value]);
  return { answer, trouble, again: () => round.value++ };
}
