/** Workers come and go; the submissions stream counts. */
import { describe, expect, it } from 'vitest';
import type { WorkerCommand } from '../../machines/commands.ts';
import {
  decideSubmissions,
  evolveSubmissions,
  initialSubmissions,
} from '../../machines/submissions.ts';
import { decideWorker, evolveWorker, initialWorker } from '../../machines/worker.ts';
import { givenOf, later, START } from './spec.ts';

const given = givenOf({ initial: initialWorker, evolve: evolveWorker, decide: decideWorker });
const connect = (...boards: string[]): WorkerCommand => ({ type: 'ConnectWorker', boards });
const lose: WorkerCommand = { type: 'LoseWorker', reason: 'no word for 30 s' };

describe('a worker', () => {
  it('connects with its boards', () => {
    const worker = given()
      .when(connect('a', 'b'))
      .gives(['WorkerConnected', { boards: ['a', 'b'] }]);
    expect(worker).toMatchObject({ state: 'connected', since: START });
  });

  it('that says the same again changes nothing', () => {
    given(connect('a')).when(connect('a')).changesNothing();
  });

  it('with other boards is recorded anew', () => {
    given(connect('a')).when(connect('a', 'b')).gives(['WorkerConnected']);
    given(connect('a', 'b')).when(connect('b', 'a')).gives(['WorkerConnected']);
  });

  it('is lost once, keeps its boards, and comes back', () => {
    const worker = given(connect('a'), later(5)).when(lose).gives(['WorkerLost']);
    expect(worker).toMatchObject({ state: 'lost', boards: ['a'], since: START + 5000 });
    given(connect('a'), lose).when(lose).changesNothing();
    const back = given(connect('a'), lose).when(connect('a')).gives(['WorkerConnected']);
    expect(back.reason).toBeNull();
  });

  it('that never connected cannot be lost', () => {
    given().when(lose).rejectsWith('no-such-worker');
  });
});

describe('submissions', () => {
  it('are counted: each command is one event', () => {
    const submissions = givenOf({
      initial: initialSubmissions,
      evolve: evolveSubmissions,
      decide: decideSubmissions,
    });
    const count = { type: 'CountSubmission', name: 'a job' } as const;
    expect(
      submissions(count, count)
        .when(count)
        .gives(['SubmissionReceived', { name: 'a job' }]),
    ).toEqual({
      jobs: 3,
    });
  });
});
