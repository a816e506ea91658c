/** Figures of one server, in a registry of its own. What can be asked for is asked when somebody looks. */
import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Registry } from 'prom-client';
import type { ApiEngine } from './parts.ts';
import type { Watchdog } from './watchdog.ts';

export interface Metrics {
  registry: Registry;
  contentType: string;
  text(): Promise<string>;
}

/** Counts the requests of an app from now on, and reads the rest off the engine. */
export function metricsOf(app: FastifyInstance, engine: ApiEngine): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'muster_http_requests_total',
    help: 'Requests that were answered, by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    registers,
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    requests.inc({ method: request.method, route, status: reply.statusCode });
    done();
  });
  new Gauge({
    name: 'muster_held_waits',
    help: 'Waits of boards that are held on an open connection.',
    registers,
    collect() {
      this.set(engine.heldWaits);
    },
  });
  new Gauge({
    name: 'muster_log_position',
    help: 'The position of the last event of the log.',
    registers,
    async collect() {
      this.set(await engine.head());
    },
  });
  new Gauge({
    name: 'muster_jobs',
    help: 'Jobs that are not over, by state.',
    labelNames: ['state'] as const,
    registers,
    collect() {
      // Not by the queue: that would explain every job of it.
      const states = [...engine.directory.jobs.values()].map((job) => job.state);
      for (const state of ['submitted', 'allocated'] as const)
        this.set({ state }, states.filter((is) => is === state).length);
    },
  });
  new Gauge({
    name: 'muster_devices',
    help: 'Devices, by state.',
    labelNames: ['state'] as const,
    registers,
    collect() {
      const devices = engine.devices();
      for (const state of ['idle', 'reserved', 'retired'] as const)
        this.set({ state }, devices.filter((device) => device.state.state === state).length);
    },
  });
  return { registry, contentType: registry.contentType, text: () => registry.metrics() };
}

/** Adds how many waits are longer than their like. */
export function watchLongWaits({ registry }: Metrics, watchdog: Pick<Watchdog, 'waits'>): void {
  new Gauge({
    name: 'muster_long_waits',
    help: 'Waits of boards that wait longer than their like in the last runs of the same definition.',
    registers: [registry],
    collect() {
      this.set(watchdog.waits.length);
    },
  });
}
