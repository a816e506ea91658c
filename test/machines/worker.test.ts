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

describe('the word of a worker', () => {
  const until = (seconds: number) => START + seconds * 1000;
  const here = (seconds: number): WorkerCommand => ({
    type: 'ConnectWorker',
    boards: ['a'],
    until: until(seconds),
  });
  const renew = (seconds: number): WorkerCommand => ({
    type: 'RenewWorker',
    until: until(seconds),
  });

  it('holds until the time that it named', () => {
    const worker = given()
      .when(here(90))
      .gives(['WorkerConnected', { until: until(90) }]);
    expect(worker.until).toBe(until(90));
  });

  it('keeps it from being lost while it holds, to the last millisecond', () => {
    given(here(90), later(89.999)).when(lose).changesNothing();
    const worker = given(here(90), later(90)).when(lose).gives(['WorkerLost']);
    expect(worker).toMatchObject({ state: 'lost', until: null });
  });

  it('is renewed: from then on it holds to the later time', () => {
    const worker = given(here(90), later(30))
      .when(renew(120))
      .gives(['WorkerRenewed', { until: until(120) }]);
    // It is here since it connected, not since its last word.
    expect(worker).toMatchObject({ state: 'connected', until: until(120), since: START });
    given(here(90), renew(120), later(119)).when(lose).changesNothing();
    given(here(90), renew(120), later(120)).when(lose).gives(['WorkerLost']);
  });

  it('never gets shorter: a renewal that comes late or twice changes nothing', () => {
    given(here(90), renew(120)).when(renew(120)).changesNothing();
    given(here(90), renew(120)).when(renew(100)).changesNothing();
  });

  it('may be renewed after it ran out, as long as nobody has called it lost', () => {
    given(here(90), later(200)).when(renew(290)).gives(['WorkerRenewed']);
  });

  it('is not taken from one that was lost: it has to connect again', () => {
    given(here(90), later(90), lose)
      .when(renew(200))
      .rejectsWith('worker-lost', /connect again/);
    given(here(90), later(90), lose).when(here(200)).gives(['WorkerConnected']);
  });

  it('counts anew when the worker connects again and says nothing else that is new', () => {
    given(here(90))
      .when(here(120))
      .gives(['WorkerRenewed', { until: until(120) }]);
    given(here(90)).when(here(90)).changesNothing();
    given(here(90)).when(here(60)).changesNothing();
  });

  it('is not asked of one that lives in the only server: that server alone can lose it', () => {
    const worker = given()
      .when(connect('a'))
      .gives(['WorkerConnected', { boards: ['a'] }]);
    expect(worker.until).toBeNull();
    given(connect('a')).when(lose).gives(['WorkerLost']);
  });

  it('and one that gives none are told apart', () => {
    given(connect('a')).when(here(90)).gives(['WorkerConnected']);
    given(here(90)).when(connect('a')).gives(['WorkerConnected']);
  });

  it.each([
    ['job limit', { jobLimit: 2 }],
    ['public key', { tokenKey: 'key-2' }],
    ['address for boards', { boardUrl: 'http://10.0.0.1:8080' }],
  ])('does not stand for another %s: that is recorded anew', (_, over) => {
    const worker = given(here(90))
      .when({ ...here(120), ...over } as WorkerCommand)
      .gives(['WorkerConnected', over]);
    expect(worker).toMatchObject({ ...over, until: until(120) });
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
