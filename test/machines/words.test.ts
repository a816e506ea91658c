/** What a board may say (SEMANTICS 2, 2.3 "Refused" and "Sizes"): every refusal, and that it changes nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verb } from '../../machines/events.ts';
import { readWords, utf8Bytes } from '../../machines/job/verb-words.ts';
import { Lab } from './lab.ts';
import { assertHolds, isCaught } from './runs.ts';

const GROUP = 'a:client b:server';

/** One call of member a: the refusal it got, if any. */
function refusal(verb: Verb, ...words: string[]) {
  const lab = new Lab(GROUP);
  lab.call('a', verb, ...words);
  return lab.all('RequestRefused')[0];
}

const BYTES_MAX = 65_536;

describe('a message id', () => {
  it.each([[], ['']])('is needed: %j is refused without an id', (...words) => {
    for (const verb of ['send', 'wait', 'wait-all', 'sync'] as const) {
      const refused = refusal(verb, ...words);
      expect(refused).toMatchObject({ verb, code: 'bad-id' });
      expect(refused).not.toHaveProperty('message');
    }
  });

  it.each(['a b', 'a\tb', 'a\nb', 'k=v', 'a\u00a0b', 'a\0b', ' x', 'x\n'])(
    'holds no white space, no = and no NUL: %j is refused',
    (id) => {
      expect(refusal('send', id)).toMatchObject({ code: 'bad-id' });
      expect(refusal('wait', id)).not.toHaveProperty('message');
    },
  );

  it.each(['-n', '--help', 'server-ready', 'ü', 'a:b', 'a>b', '"quoted"', '日本', '__proto__'])(
    'may be any other run of characters, such as %s',
    (id) => {
      for (const verb of ['send', 'wait', 'wait-all', 'sync'] as const)
        expect(refusal(verb, id)).toBeUndefined();
    },
  );

  it('has at most 255 bytes, counted in UTF-8', () => {
    expect(refusal('send', 'x'.repeat(255))).toBeUndefined();
    expect(refusal('send', 'x'.repeat(256))).toMatchObject({ code: 'bad-id' });
    expect(refusal('send', `${'ü'.repeat(127)}x`)).toBeUndefined();
    expect(refusal('send', 'ü'.repeat(128))).toMatchObject({ code: 'bad-id' });
    expect(refusal('send', '😀'.repeat(64))).toMatchObject({
      code: 'bad-id',
      reason: expect.stringContaining('256'),
    });
  });
});

describe('a word of lava-send', () => {
  it('must be of the form key=value', () => {
    expect(refusal('send', 'x', 'k=v', 'word')).toMatchObject({ code: 'bad-word', message: 'x' });
    expect(refusal('send', 'x', '')).toMatchObject({ code: 'bad-word' });
  });

  it.each(['server-ip', 'hostname-full', 'dns_1', 'a.b', '9', '-', '_'])(
    'may have the key %s',
    (key) => {
      expect(refusal('send', 'x', `${key}=v`)).toBeUndefined();
    },
  );

  it.each(['', 'a b', 'ü', 'a:b', 'k\n', 'a/b', '"k"'])('may not have the key %j', (key) => {
    expect(refusal('send', 'x', `${key}=v`)).toMatchObject({ code: 'bad-key', message: 'x' });
  });

  it.each(['', ' ', 'a=b=c', 'a:b', '<a>', `"it's"`, 'ünïcödé 😀', '$(reboot)', '`', '\\', 'a\tb'])(
    'carries the value %j to the reader unchanged',
    (value) => {
      const lab = new Lab(GROUP);
      lab.send('b', 'x', `k=${value}`);
      expect(lab.lines(lab.wait('a', 'x'))).toEqual([`k=${value}`]);
      expect(lab.lines(lab.waitAll('a', 'x'))).toEqual([`b:k=${value}`]);
    },
  );

  it.each(['a\nb', '\n', 'a\0b'])(
    'may not have the value %j: no cache line can carry it',
    (value) => {
      expect(refusal('send', 'x', `k=${value}`)).toMatchObject({ code: 'bad-value', message: 'x' });
    },
  );

  it('counts with the later value when a message names a key twice', () => {
    const lab = new Lab(GROUP);
    lab.send('b', 'x', 'k=1', 'k=2');
    expect(lab.lines(lab.waitAll('a', 'x'))).toEqual(['b:k=2']);
  });
});

describe('the size of a message', () => {
  const fits = (...words: string[]) => refusal('send', 'x', ...words);

  it('is at most 65,536 bytes: that many pass, one more is refused', () => {
    expect(fits(`k=${'v'.repeat(BYTES_MAX - 2)}`)).toBeUndefined();
    expect(fits(`k=${'v'.repeat(BYTES_MAX - 1)}`)).toMatchObject({
      code: 'too-large',
      message: 'x',
      reason: expect.stringContaining('65537'),
    });
  });

  it('is counted in UTF-8 bytes, not in characters', () => {
    expect(fits(`k=${'ü'.repeat(BYTES_MAX / 2 - 1)}`)).toBeUndefined();
    expect(fits(`k=${'ü'.repeat(BYTES_MAX / 2)}`)).toMatchObject({ code: 'too-large' });
    expect(fits(`k=${'😀'.repeat(BYTES_MAX / 4)}`)).toMatchObject({ code: 'too-large' });
  });

  it('counts one byte between two words', () => {
    const half = `k=${'v'.repeat(BYTES_MAX / 2 - 2)}`;
    expect(fits(half.slice(0, -1), half)).toBeUndefined();
    expect(fits(half, half)).toMatchObject({ code: 'too-large' });
  });

  it('is not bounded by the number of words: many short ones pass', () => {
    const words = Array.from({ length: 5000 }, (_, i) => `k${i}=v`);
    expect(fits(...words)).toBeUndefined();
  });
});

describe('utf8Bytes', () => {
  const check = (bytes: (text: string) => number) => (text: string) =>
    expect(bytes(text)).toBe(new TextEncoder().encode(text).length);
  const text = fc.string({ unit: 'binary' });

  it('counts what an encoder makes of any text', () => assertHolds(text, check(utf8Bytes)));
  it('is caught when it counts characters', () =>
    isCaught(
      text,
      check((t) => t.length),
    ));
});

describe('words after the id', () => {
  it.each([
    ['wait', ['x', 'server']],
    ['wait', ['x', '']],
    ['sync', ['x', 'k=v']],
    ['wait-all', ['x', 'server', 'client']],
  ] as const)('lava-%s %j has too many', (verb, words) => {
    expect(refusal(verb, ...words)).toMatchObject({ verb, code: 'too-many-words', message: 'x' });
  });
});

describe('a role', () => {
  it('that the job does not define is refused, and the reason names those there are', () => {
    const refused = refusal('wait-all', 'x', 'database');
    expect(refused).toMatchObject({ code: 'unknown-role', message: 'x' });
    expect(refused?.reason).toContain('database');
    expect(refused?.reason).toContain('client, server');
  });

  it('that is empty is refused', () => {
    expect(refusal('wait-all', 'x', '')).toMatchObject({ code: 'unknown-role' });
  });
});

describe('a refusal', () => {
  it('is one line, however long or odd the word was', () => {
    for (const word of ['a\nb', '\0', 'x'.repeat(100_000), '\r\n\u2028']) {
      for (const verb of ['send', 'wait', 'wait-all', 'sync'] as const) {
        const reason = refusal(verb, 'id', word, word, word)?.reason ?? '';
        expect(reason).not.toMatch(/[\n\r\0]/);
        expect(reason.length).toBeLessThan(300);
      }
    }
  });

  it('is recorded and changes nothing else: no send counts, no wait starts, the member goes on', () => {
    const lab = new Lab(GROUP);
    const before = lab.state.conversation;
    const refused: [Verb, string[]][] = [
      ['send', ['x', 'word']],
      ['sync', ['x', 'k=v']],
      ['wait', []],
      ['wait-all', ['x', 'nobody']],
    ];
    for (const [verb, words] of refused) {
      const events = lab.call('a', verb, ...words);
      expect(events.map((e) => e.type)).toEqual(['RequestRefused']);
    }
    expect(lab.state.conversation).toBe(before);
    expect(lab.member('a')).toMatchObject({ state: 'booted', failing: null });
    expect(lab.is(lab.sync('b', 'x'))).toBe('open');
    lab.endAction('a');
    expect(lab.member('a').state).toBe('complete');
  });

  it('leaves a member that waits waiting', () => {
    const lab = new Lab(GROUP);
    const wait = lab.wait('a', 'x');
    lab.call('a', 'send', 'bad id');
    expect(lab.is(wait)).toBe('open');
    expect(lab.member('a').state).toBe('waiting');
  });
});

describe('readWords', () => {
  const anyVerb = fc.constantFrom<Verb>('send', 'wait', 'wait-all', 'sync');
  const anyWord = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('x', 'k=v', 'r', '', '=', 'k=', '=v'),
  );

  it('never throws, and what it accepts has an id without white space and pairs without newlines', () =>
    assertHolds(fc.tuple(anyVerb, fc.array(anyWord)), ([verb, words]) => {
      const said = readWords(verb, words, ['r']);
      if ('code' in said) return;
      expect(said.message).toMatch(/^[^\s=\0]+$/);
      for (const [key, value] of said.pairs) {
        expect(key).toMatch(/^[\w.-]+$/);
        expect(value).not.toMatch(/[\n\0]/);
      }
      expect(said.pairs.length).toBe(verb === 'send' ? words.length - 1 : 0);
    }));
});
