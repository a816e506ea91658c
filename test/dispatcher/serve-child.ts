/**
 * A dispatcher in a process of its own, to be killed. Arguments: the data folder, the port of its server, the actions
 * of `panda01` as JSON, `plain`, `namespaces` or `qemu`. Prints every report as a line of JSON.
 */
import { createDispatcher } from '../../dispatcher/dispatcher.ts';
import { registry } from '../../dispatcher/drivers/registry.ts';
import { FakeServer } from './fake-server.ts';
import { boardFiles } from './harness.ts';
import { SOURCE_LIMITS } from './limits.ts';

const [dataDir = '', port = '0', actions = '[]', kind = 'namespaces'] = process.argv.slice(2);
const server = new FakeServer();
await server.listen(Number(port));
const quiet = () => undefined;
const dispatcher = await createDispatcher({
  server,
  boards: [
    {
      name: 'panda01',
      type: 'panda',
      tags: [],
      driver: kind === 'qemu' ? kind : 'local',
      image: 'host:',
    },
  ],
  dataDir,
  boardFiles,
  limits: { consoleBytes: 64 * 1024 ** 2, bootSeconds: 120, ...SOURCE_LIMITS },
  allowFiles: [],
  drivers: registry({
    bridge: {},
    local: { processes: 256, ...(kind === 'plain' ? { namespaces: false } : {}) },
  }),
  log: { info: quiet, warn: quiet, error: (about, message) => console.error(message, about) },
});
server.host = dispatcher.gateway?.address ?? '127.0.0.1';
const report = server.report.bind(server);
server.report = async (...words) => {
  await report(...words);
  process.stdout.write(`${JSON.stringify(words)}\n`);
};
await dispatcher.start();
server.allocate(1, [{ device: 'panda01', actions: JSON.parse(actions) }]);
