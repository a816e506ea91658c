/** The arrows of the house (docs/architecture.md): which room may import which. */
const rooms = {
  machines: [],
  submission: ['machines'],
  scheduler: ['machines'],
  projections: ['machines'],
  replay: ['machines', 'submission', 'scheduler', 'projections'],
  store: ['machines'],
  engine: ['machines', 'scheduler', 'projections'],
  api: ['machines', 'submission', 'projections', 'engine', 'scheduler'],
  dispatcher: ['machines', 'submission'],
};
const pure = ['machines', 'submission', 'scheduler', 'projections', 'replay'];
const all = [...Object.keys(rooms), 'cli'];

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '(^bench/|-worker\\.ts$)' },
      to: {},
    },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `${room}-imports-only-${['itself', ...allowed].join('-')}`,
      severity: 'error',
      from: { path: `^${room}/` },
      to: {
        path: `^(${all.join('|')})/`,
        pathNot: [
          `^(${[room, ...allowed].join('|')})/`,
          // The port is all of the store that the engine and the doors know; adapters are the CLI's business.
          ...(room === 'engine' || room === 'api' ? ['^store/port\\.ts$'] : []),
        ],
      },
    })),
    {
      name: 'pure-rooms-do-no-io',
      severity: 'error',
      from: { path: `^(${pure.join('|')})/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'machines-know-zod-and-xstate-only',
      severity: 'error',
      from: { path: '^machines/' },
      to: { dependencyTypes: ['npm', 'npm-dev'], pathNot: 'node_modules/(zod|xstate)/' },
    },
    {
      name: 'no-driver-knows-another',
      comment: 'dispatcher/drivers/: a folder a driver; what they share are files beside the folders',
      severity: 'error',
      from: { path: '^dispatcher/drivers/([^/]+)/' },
      to: { path: '^dispatcher/drivers/[^/]+/', pathNot: '^dispatcher/drivers/$1/' },
    },
    {
      name: 'drivers-are-opened-by-the-registry-alone',
      severity: 'error',
      from: { path: `^(${all.join('|')})/`, pathNot: '^dispatcher/drivers/(registry\\.ts$|[^/]+/)' },
      to: { path: '^dispatcher/drivers/[^/]+/' },
    },
    {
      name: 'no-dev-packages-in-the-product',
      severity: 'error',
      from: { path: `^(${all.join('|')})/` },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs'] },
  },
};
