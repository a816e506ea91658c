/** The answers of a server with job 12, which is over, and job 13, which waits; and the command line against it. */
import { fakeServer, here, json, problem, type Script, sse, sseEnd } from './fake-server.ts';
import { barriers, device, events, results, view } from './job-12.ts';

export const start = '2026-08-01T13:00:00.000Z';
export const queue = {
  queue: [
    {
      job: 13,
      name: 'a name that is long enough to wrap somewhere on the page',
      priority: 80,
      place: 1,
      submittedAt: view.submittedAt,
      reason:
        'waits for 2 boards of role server (type panda): panda01 held by job 12, panda02 (offline: no power)',
      guaranteedStart: start,
    },
  ],
  total: 1,
};

const held = { board: 'panda01', why: 'held by job 12', until: start };
/** What keeps each board from a role of the job that waits. */
export const slot = {
  role: 'server',
  deviceType: 'panda',
  tags: ['usb3'],
  wanted: 2,
  free: 1,
  short: 1,
  candidates: [
    held,
    { board: 'panda02', why: 'offline: no power' },
    { board: 'panda03', why: 'free' },
  ],
};
export const why = { ...queue.queue[0], slots: [slot] };

const consoles: Script = {
  'GET /api/jobs/12/members/panda01/console': (_, reply) => reply.end('one\r\n\u001b[1mbold\n'),
  'GET /api/jobs/12/members/panda02/console': (_, reply) => reply.end('two, no end of line'),
};

export const script: Script = {
  'GET /api/jobs': { jobs: [view] },
  'GET /api/jobs/12': { ...view, fromANewerServer: 1 },
  'GET /api/queue': queue,
  'GET /api/devices': {
    devices: [device, { ...device, name: 'panda02', online: false, offlineReason: 'no power' }],
  },
  'GET /api/devices/panda01': device,
  'POST /api/devices/panda01/offline': { ...device, online: false, offlineReason: 'worn out' },
  'POST /api/devices/panda01/online': device,
  'POST /api/devices/panda01/health': { ...device, health: 'maintenance', healthReason: 'fan' },
  'POST /api/devices/panda01/retire': { ...device, state: 'retired' },
  'POST /api/devices/panda01/restore': device,
  'GET /api/jobs/13/why': why,
  'PUT /api/jobs/13/priority': { ...view, id: 13, priority: 100 },
  'GET /api/jobs/12/barriers': barriers,
  'GET /api/jobs/12/results': results,
  'GET /api/jobs/12/events': ({ headers }, reply) => {
    if (headers.accept !== 'text/event-stream') return json(reply, { events });
    sse(reply, events);
    sseEnd(reply);
  },
  'GET /api/jobs/404': (_, reply) => problem(reply, 404, 'no-such-job', 'there is no job 404'),
  'POST /api/jobs/12/cancel': { ...view, state: 'cancelled' },
  'POST /api/jobs/13/cancel': view,
  ...consoles,
};

/** Runs a command line without quotes; `more`: answers of this test. */
export async function muster(args: string, more: Script = {}) {
  const server = await fakeServer({ ...script, ...more });
  const ended = await here(args.split(' '), { env: { MUSTER_URL: server.url, TZ: 'UTC' } });
  return { ...ended, asked: server.asked };
}
