import { expect, it } from 'vitest';
import { problemOf } from '../../api/problems.ts';
import { AppendTooLarge, StoreUnavailable } from '../../store/port.ts';

it('a log that does not answer is named to the caller, without its address', () => {
  const problem = problemOf(new StoreUnavailable('esdb://user:secret@10.0.0.1: gone for 10 s'));
  expect(problem).toMatchObject({ code: 'store-unavailable', headers: { 'retry-after': '1' } });
  expect(problem.message).toContain('the server cannot reach its log now');
  expect(problem.message).toContain('the same request may be sent again');
  expect(problem.message).not.toContain('secret');
});

it('a request that the log has no room for is told how much there is', () => {
  const problem = problemOf(new AppendTooLarge('job-3: 2000000 bytes; it takes 1048576'));
  expect(problem).toMatchObject({
    code: 'too-large',
    message: 'job-3: 2000000 bytes; it takes 1048576',
  });
});
