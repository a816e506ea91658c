/** Consoles with frames on them, as `muster logs` shows them. */
import { describe, expect, it } from 'vitest';
import { tellFrame, withoutFrames } from '../../cli/pages/console-frames.ts';
import { timedLines } from '../../cli/pages/timed-lines.ts';

const key = '01234567-89ab-4000-8000-000000000000';
const id = key.slice(0, 13);
const call = `<MUSTER_LINE ${id} 1/1 send,${key},12~sh&run.sh,ready,ip=10.0.0.1,a=b+c%2525, 12.34>`;
const ask = `<MUSTER_LINE ${id} ?2 12.34>`;

describe('a frame on a console', () => {
  it('is told as the call that it carries', () => {
    expect(tellFrame(call)).toBe('muster: over its console: send ready ip=10.0.0.1 a=b c%');
    const file = `<MUSTER_LINE ${id} 1/17 *attachment?name=%2561,${key},,AAAA 1.2>`;
    expect(tellFrame(file)).toBe('muster: over its console: attachment ...');
  });

  it('is not shown where it says nothing to people: later parts, questions and thanks', () => {
    expect(tellFrame(ask)).toBe('');
    expect(tellFrame(`<MUSTER_LINE ${id} 2/3 xyz 1.2>`)).toBe('');
  });

  it('leaves every other line as it is, damaged frames and binary too', () => {
    const other = Buffer.from(`\xff\x00a\n\n${call.slice(0, 30)}\n+ echo '${ask}'\n`, 'latin1');
    expect(withoutFrames(other)).toEqual(other);
    const text = `one\n\n${call}\n\n${ask}\ntwo\n\nthree`;
    expect(withoutFrames(Buffer.from(text)).toString()).toBe(
      'one\nmuster: over its console: send ready ip=10.0.0.1 a=b c%\ntwo\n\nthree',
    );
  });

  it('is told with the time of its line', async () => {
    async function* bytes() {
      yield Buffer.from(`one\n\n${call}\n\n${ask}\ntwo\n\nthree`);
    }
    const lines: string[] = [];
    for await (const line of timedLines('b', bytes(), '')) lines.push(line.text);
    expect(lines).toEqual([
      'one',
      'muster: over its console: send ready ip=10.0.0.1 a=b c%',
      'two',
      '',
      'three',
    ]);
  });
});
