import { cruise } from 'dependency-cruiser';
import type { ICruiseResult, IForbiddenRuleType } from 'dependency-cruiser';

/** Tests, and the worlds they are told in. */
const spec = '\\.(spec|fixture)\\.ts$';
/** What only tests import, and what stands around the system rather than in it. */
const outside = '^(libs/(testing|journeys|simulation)|deploy|tools|docs)/';
/** `play` and `properties` are how a service tests its own sagas, so they are told beside the definition that they are about. */
const sagaTests = '^libs/saga/src/(play|properties)\\.ts$';
const testOnly = ['^libs/(testing|journeys|simulation)/', '^libs/http/src/testing\\.ts$', sagaTests];
/** `order/order.ts`: the states and decisions of one aggregate, named as its folder. The gateway has none. */
const domain = '^services/(?!gateway/)[^/]+/src/([^/]+)/\\1\\.ts$';

/**
 * Who may import whom: kernel ← contracts ← (saga, messaging, db, http, telemetry, protocols) ← (operations, service) ← services.
 * Each rule has a fixture of the same name in `fixtures/violations/imports` that breaks it and no other.
 */
export const importRules: readonly (IForbiddenRuleType & { name: string })[] = [
  {
    name: 'kernel-imports-zod-only',
    severity: 'error',
    comment: 'Everything stands on the kernel; what it imports, everything imports.',
    from: { path: '^libs/kernel/', pathNot: spec },
    to: { pathNot: '^(libs/kernel|node_modules/zod)/' },
  },
  {
    name: 'contracts-import-kernel-only',
    severity: 'error',
    comment: 'A contract is data; whoever sends or receives it must not inherit the logic of its owner.',
    from: { path: '^libs/contracts/', pathNot: spec },
    to: { pathNot: '^(libs/(contracts|kernel)|node_modules/zod)/' },
  },
  {
    name: 'libs-import-no-service',
    severity: 'error',
    comment: 'A library that knows one service cannot serve the others.',
    from: { path: '^libs/', pathNot: '^libs/(journeys|simulation)/' },
    to: { path: '^services/' },
  },
  {
    name: 'http-and-messaging-apart',
    severity: 'error',
    comment:
      'The gateway speaks HTTP and has no messages of its own; a worker has messages and no HTTP. What needs both is operations, or a service.',
    from: { path: '^libs/(http|messaging)/', pathNot: spec },
    to: { path: '^libs/(http|messaging)/', pathNot: '^libs/$1/' },
  },
  {
    name: 'services-only-import-operations',
    severity: 'error',
    comment: "The operators' routes stand on everything below; nothing below may need them.",
    from: { path: '^libs/', pathNot: '^libs/(operations|journeys)/' },
    to: { path: '^libs/operations/' },
  },
  {
    name: 'service-imports-no-service',
    severity: 'error',
    comment: 'Services meet in contracts and on the bus, so that each can be deployed, and fail, by itself.',
    from: { path: '^services/([^/]+)/' },
    to: { path: '^services/', pathNot: '^services/$1/' },
  },
  {
    name: 'domain-imports-kernel-and-contracts',
    severity: 'error',
    comment: 'A decision is a pure function: state, command and time go in, a result comes out.',
    from: { path: domain },
    to: { pathNot: '^(libs/(kernel|contracts)|node_modules/zod|services/[^/]+/src)/' },
  },
  {
    name: 'domain-reaches-no-io',
    severity: 'error',
    comment: 'Nor may a neighbour that the decision imports read the database, the bus, the disk or the network.',
    from: { path: domain },
    to: {
      reachable: true,
      path: '^(libs/(db|messaging|http|telemetry|protocols)/|node_modules/(drizzle-orm|postgres|fastify|undici|@nats-io)/|node:(fs|net|http|https|child_process)$|(fs|net|http|https|child_process)$)',
    },
  },
  {
    name: 'tests-only',
    severity: 'error',
    comment: 'What runs in production imports neither the test servers nor a test, nor the test runner.',
    from: { pathNot: [spec, outside, sagaTests, '^libs/saga/src/type\\.check\\.ts$', '^[^/]+$'] },
    to: { path: [...testOnly, spec, 'node_modules/(vitest|fast-check|testcontainers)/'] },
  },
  {
    name: 'simulation-does-no-io',
    severity: 'error',
    comment: 'What waits for a real socket, timer or database is no longer decided by the seed alone.',
    from: { path: '^libs/simulation/', pathNot: spec },
    to: {
      path: '^(libs/(db|http|telemetry|testing)/|node_modules/(postgres|drizzle-orm|fastify|undici|@nats-io)/|(node:)?(net|http|https|dns|timers|fs)(/promises)?$)',
    },
  },
  {
    name: 'nothing-imports-the-deployment',
    severity: 'error',
    comment: 'How the system is started is not the business of what is started.',
    from: { pathNot: [spec, outside, '^[^/]+$'] },
    to: { path: '^(deploy|tools)/' },
  },
  {
    name: 'no-cycles',
    severity: 'error',
    comment: 'In a cycle no file can be understood, tested or moved without the others. Types alone may refer to each other.',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'no-unresolved',
    severity: 'error',
    comment: 'An import that the checker cannot follow is one it cannot judge.',
    from: {},
    to: { couldNotResolve: true },
  },
];

/** Reads every module under `folders` of `base`, and judges its imports. */
export async function judgeImports(base: string, folders: readonly string[]): Promise<ICruiseResult> {
  const { output } = await cruise(
    [...folders],
    {
      baseDir: base,
      ruleSet: { forbidden: [...importRules] },
      validate: true,
      tsPreCompilationDeps: true, // an import of a type is one too
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '/fixtures/|/migrations/|^services/console/' },
      combinedDependencies: true,
    },
    {
      // Workspaces are links in node_modules, and name their sources in `exports`.
      symlinks: true,
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'types', 'default'],
      extensions: ['.ts', '.mts', '.mjs', '.js', '.cjs', '.json', '.node'],
    },
  );
  return output as ICruiseResult;
}
