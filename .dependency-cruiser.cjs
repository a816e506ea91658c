/** The arrows of the house (docs/architecture.md): which room may import which. */
const rooms = {
  machines: [],
  submission: ['machines'],
  scheduler: ['machines'],
  projections: ['machines'],
  simulation: ['machines', 'submission', 'scheduler', 'projections'],
  store: ['machines'],
  wire: ['machines'],
  answers: ['machines', 'submission', 'scheduler', 'projections', 'wire'],
  engine: ['machines', 'scheduler', 'projections', 'wire'],
  api: ['machines', 'submission', 'projections', 'engine', 'scheduler', 'wire', 'answers'],
  dispatcher: ['machines', 'submission', 'wire'],
  worker: ['machines', 'wire', 'dispatcher'],
  server: [
    'machines',
    'submission',
    'projections',
    'answers',
    'engine',
    'scheduler',
    'store',
    'wire',
    'api',
    'dispatcher',
  ],
};
const pure = ['machines', 'submission', 'scheduler', 'projections', 'simulation', 'answers'];
const all = [...Object.keys(rooms), 'cli'];

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        pathNot:
          '(^bench/|^scripts/|^test/|^store/sqlite/log-thread\\.ts$|^web/(vite\\.config|main)\\.tsx?$)',
      },
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
      name: 'adapters-know-the-port-not-each-other',
      severity: 'error',
      from: { path: '^store/(sqlite|eventstoredb)/' },
      to: { path: '^store/(sqlite|eventstoredb|archive)/', pathNot: '^store/$1/' },
    },
    {
      name: 'the-port-knows-no-adapter',
      severity: 'error',
      from: { path: '^store/[^/]+$' },
      to: { path: '^store/(sqlite|eventstoredb)/' },
    },
    {
      name: 'pure-rooms-do-no-io',
      severity: 'error',
      from: { path: `^(${pure.join('|')})/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'devices-and-workers-know-nothing-of-a-job-s-machine',
      severity: 'error',
      from: { path: '^machines/(device|worker|submissions)\\.ts$' },
      to: { path: '^machines/job/' },
    },
    {
      name: 'machines-know-zod-and-xstate-only',
      severity: 'error',
      from: { path: '^machines/' },
      to: { dependencyTypes: ['npm', 'npm-dev'], pathNot: 'node_modules/(zod|xstate)/' },
    },
    {
      name: 'no-driver-knows-another',
      comment:
        'dispatcher/drivers/: a folder a driver; what they share are files beside the folders',
      severity: 'error',
      from: { path: '^dispatcher/drivers/([^/]+)/' },
      to: { path: '^dispatcher/drivers/[^/]+/', pathNot: '^dispatcher/drivers/$1/' },
    },
    {
      name: 'drivers-are-opened-by-the-registry-alone',
      severity: 'error',
      from: {
        path: `^(${all.join('|')})/`,
        pathNot: '^dispatcher/drivers/(registry\\.ts$|[^/]+/)',
      },
      to: { path: '^dispatcher/drivers/[^/]+/' },
    },
    {
      name: 'pages-know-views-and-no-client',
      severity: 'error',
      from: { path: '^cli/pages/' },
      to: { path: '^(cli/(client|command|commands/)|server/|engine/|store/|api/(?!schemas))' },
    },
    {
      name: 'the-page-knows-the-api-and-types-alone',
      comment: 'web/ is told everything over the public API; a type costs a browser nothing',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: `^(${all.join('|')}|test|bench|scripts)/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nobody-imports-the-page',
      severity: 'error',
      from: { path: `^(${all.join('|')}|bench|scripts)/` },
      to: { path: '^web/' },
    },
    {
      name: 'nothing-of-the-product-knows-its-tests-bench-or-scripts',
      severity: 'error',
      from: { path: `^(${all.join('|')})/` },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'the-bench-knows-no-test',
      severity: 'error',
      from: { path: '^(bench|scripts)/' },
      to: { path: '\\.test\\.ts$' },
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
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs'] },
  },
};
