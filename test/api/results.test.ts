import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { resultFormats } from '../../api/formats/formats.ts';
import { doors, pair, say } from './bench.ts';
import { readCsv, readTap } from './readers.ts';

/** A job in which a board has said something. */
async function withResults() {
  const lab = await doors();
  const { job, server, client } = await pair(lab.engine);
  await say(lab.app, { job, device: server }, 'suite', 'start', '0_x');
  await say(lab.app, { job, device: server }, 'result', 'case=speed', 'result=fail', 'suite=0_x');
  await say(lab.app, { job, device: server }, 'result', 'case=speed', 'result=pass', 'suite=0_x');
  await say(
    lab.app,
    { job, device: client },
    'result',
    'case=rate',
    'result=pass',
    'measurement=9.8MB/s',
  );
  return { ...lab, server, client };
}

describe('results', () => {
  it('say suites, cases and what counts', async () => {
    const { app, server } = await withResults();
    const results = (await app.inject('/api/jobs/1/results')).json();
    expect(results).toMatchObject({
      job: 1,
      state: 'allocated',
      members: [{ role: 'server', index: 0 }, { role: 'client' }],
      suites: [{ device: server, suite: '0_x', state: 'running' }, { suite: 'lava' }],
      summary: { pass: 2, fail: 0 },
      garbled: [],
      attachments: [],
    });
    expect(results.cases.map((c: { counts: boolean }) => c.counts)).toEqual([false, true, true]);
    expect(results.cases[2]).toMatchObject({ note: 'the measurement "9.8MB/s" is no number' });
    expect(results.cases[2]).not.toHaveProperty('measurement');
  });

  it('say why the job ended', async () => {
    const { app, engine } = await withResults();
    await engine.cancel(1, 'enough', { actor: 'user:test' });
    const results = (await app.inject('/api/jobs/1/results')).json();
    expect(results).toMatchObject({ state: 'cancelled', reason: 'enough' });
  });

  it.each(Object.entries(resultFormats))(
    'are to be had as %s, with its media type and the name of a file',
    async (format, { mediaType, extension }) => {
      const { app } = await withResults();
      const response = await app.inject(`/api/jobs/1/results?format=${format}`);
      expect(response.statusCode).toBe(200);
      expect(response.headers['content-type']).toBe(`${mediaType}; charset=utf-8`);
      expect(response.headers['content-disposition']).toBe(
        `attachment; filename="job-1-results.${extension}"`,
      );
      expect(response.headers['x-content-type-options']).toBe('nosniff');
      expect(response.body).toContain('speed');
    },
  );

  it('say the same in every form', async () => {
    const { app } = await withResults();
    const as = async (format: string) =>
      (await app.inject(`/api/jobs/1/results?format=${format}`)).body;
    expect(parse(await as('yaml'))).toEqual(JSON.parse(await as('json')));
    expect(readTap(await as('tap')).map(({ children }) => children.length)).toEqual([2, 1]);
    expect(readCsv(await as('csv')).filter(([kind]) => kind === 'case')).toHaveLength(3);
  });

  it('are JSON to a browser too, whatever it says that it accepts', async () => {
    const { app } = await withResults();
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    const response = await app.inject({ url: '/api/jobs/1/results', headers: { accept } });
    expect(response.headers['content-type']).toContain('application/json');
  });

  it('in a form that there is not are refused, with those that there are', async () => {
    const { app } = await withResults();
    const response = await app.inject('/api/jobs/1/results?format=pdf');
    expect([response.statusCode, response.json().code]).toEqual([400, 'invalid-request']);
    expect(response.body).toContain('junit');
  });

  it('are described with every media type', async () => {
    const { app } = await doors();
    const { paths, components } = (await app.inject('/openapi.json')).json();
    const { content } = paths['/api/jobs/{id}/results'].get.responses['200'];
    expect(Object.keys(content)).toEqual([
      'application/json',
      ...Object.values(resultFormats).map(({ mediaType }) => mediaType),
    ]);
    const { measurement, counts } = components.schemas.CaseView.properties;
    expect(JSON.stringify(measurement)).toContain('decimal number');
    expect(counts.description).toContain('the last counts');
  });
});
