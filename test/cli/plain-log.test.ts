import { expect, it } from 'vitest';
import { plainLog } from '../../cli/plain-log.ts';

function logged(columns: number) {
  let text = '';
  const log = plainLog((part) => {
    text += part;
  }, columns);
  return { log, text: () => text };
}

it('says a warning in words that fit the terminal', () => {
  const { log, text } = logged(40);
  log.warn({ why: 'no root' }, 'local boards are plain processes: a script can reach this machine');
  expect(text()).toBe(
    'note: local boards are plain processes:\n      a script can reach this machine\n',
  );
});

it('says what went wrong, and nothing of what goes well', () => {
  const { log, text } = logged(80);
  log.info('all is well');
  log.error({ err: new Error('no room') }, 'a board does not go away');
  expect(text()).toBe('note: a board does not go away: no room\n');
});
