/** What a board printed, as a person reads it: frames and marks in words, or all of it as it came. */
import { query, setQuery } from '../ui/router.ts';
import { pieces, withoutHalf } from './console-marks.ts';
import { withoutFrames } from './frames.ts';
import { plainText } from './plain-text.ts';

export const isAsPrinted = (): boolean => query.value.get('marks') === 'printed';

/** @param isOpen more of its last line is to come */
export function Printed({ text, isOpen = false }: { text: string; isOpen?: boolean }) {
  if (isAsPrinted()) return <>{plainText(text)}</>;
  const told = plainText(withoutFrames(text, isOpen));
  return <Told text={isOpen ? withoutHalf(told) : told} />;
}

/** Plain text, its marks in words: dimmed, each behind a dot. */
export function Told({ text }: { text: string }) {
  if (isAsPrinted()) return <>{text}</>;
  return (
    <>
      {pieces(text).map(({ raw, words }, n) => {
        if (words === undefined) return raw;
        if (words === '') return null;
        return (
          <span key={n} class="mark" title={raw.trim()}>
            · {words}
          </span>
        );
      })}
    </>
  );
}

export function AsPrinted() {
  return (
    <label title="The lines between a board and Muster, which are told in words">
      <input
        type="checkbox"
        checked={isAsPrinted()}
        onChange={({ currentTarget: { checked } }) =>
          setQuery({ marks: checked ? 'printed' : undefined })
        }
      />{' '}
      marks as printed
    </label>
  );
}
