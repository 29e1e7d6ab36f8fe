export const upstreamNames = ['catalog', 'coupon', 'order', 'payment-gateway', 'fulfillment', 'api-gateway'] as const;
export type UpstreamName = (typeof upstreamNames)[number];

/** One line of the table. `path` is what follows `/v1/`; `*` stands for one step; everything below belongs to it as well. */
export type Rule = {
  readonly path: string;
  readonly to: UpstreamName;
  /** What needs no token. Without it, everything does. The services' own routes say the same; a test compares. */
  readonly open?: 'read' | 'all';
};

/** Which service has which resource: the only place that says so. Of the rules that fit, the longest wins. */
export const rules: readonly Rule[] = [
  { path: 'products', to: 'catalog', open: 'read' },
  { path: 'skus', to: 'catalog', open: 'read' },
  { path: 'categories', to: 'catalog', open: 'read' },
  { path: 'providers', to: 'catalog', open: 'read' },
  { path: 'reviews', to: 'catalog', open: 'read' },
  { path: 'coupons', to: 'coupon', open: 'read' },
  { path: 'my/coupons', to: 'coupon' },
  { path: 'my/reviews', to: 'catalog' },
  { path: 'quotes', to: 'order' },
  { path: 'orders', to: 'order' },
  { path: 'purchasing-rules', to: 'order' },
  { path: 'auto-renewals', to: 'order' },
  { path: 'payments', to: 'payment-gateway' },
  { path: 'ledger', to: 'payment-gateway' },
  { path: 'wallet', to: 'payment-gateway' },
  // Channels know no tokens: their callbacks are signed, and the service verifies the signature.
  { path: 'notify', to: 'payment-gateway', open: 'all' },
  // Pages for a buyer’s browser, on the way to a channel: whoever knows the address may open it.
  { path: 'pay', to: 'payment-gateway', open: 'all' },
  { path: 'instances', to: 'fulfillment' },
  { path: 'instances/*/calls', to: 'api-gateway' },
  { path: 'server-offers', to: 'fulfillment' },
  { path: 'notifications', to: 'fulfillment' },
  { path: 'provider/products', to: 'catalog' },
  { path: 'provider/products/*/endpoint', to: 'fulfillment' },
  { path: 'provider/products/*/upstream', to: 'fulfillment' },
  { path: 'provider/coupons', to: 'coupon' },
  { path: 'provider/reviews', to: 'catalog' },
  { path: 'provider/shop', to: 'catalog' },
  { path: 'provider/orders', to: 'order' },
  { path: 'provider/calls', to: 'fulfillment' },
  { path: 'provider/cloud-keys', to: 'fulfillment' },
  { path: 'provider/endpoints', to: 'fulfillment' },
  { path: 'provider/balance', to: 'payment-gateway' },
  { path: 'provider/settlements', to: 'payment-gateway' },
  { path: 'provider/withdrawals', to: 'payment-gateway' },
  { path: 'ops/orders', to: 'order' },
  { path: 'ops/sagas', to: 'order' },
  { path: 'ops/coupons', to: 'coupon' },
  { path: 'ops/reviews', to: 'catalog' },
  { path: 'ops/categories', to: 'catalog' },
  { path: 'ops/providers', to: 'catalog' },
  { path: 'ops/payments', to: 'payment-gateway' },
  { path: 'ops/payment-tasks', to: 'payment-gateway' },
  { path: 'ops/wallet-withdrawals', to: 'payment-gateway' },
  { path: 'ops/reconciliations', to: 'payment-gateway' },
  { path: 'ops/reconciliation-differences', to: 'payment-gateway' },
  { path: 'ops/ledger', to: 'payment-gateway' },
  ...upstreamNames.map((to): Rule => ({ path: `ops/${to}`, to })),
];

/** `route` is the resource, for telemetry: it holds no ids. */
export type Routed = {
  readonly to: UpstreamName;
  readonly needsToken: boolean;
  readonly route: string;
  /** Signed by who sends it, in ways that only the service knows: the Authorization header is no token. */
  readonly isSigned?: true;
};

/** The cloud's API has one path for everything, because its SDKs can be pointed at a host and at no path. */
const marketApi: Routed = { to: 'fulfillment', route: '/', needsToken: false, isSigned: true };

const ordered = rules
  .map((rule) => ({ rule, steps: rule.path.split('/') }))
  .sort((a, b) => b.steps.length - a.steps.length || a.rule.path.localeCompare(b.rule.path));

/** Neither encoded nor literal dots or slashes may make two readers of one path disagree on where it leads. */
const suspicious = /(^|\/)\.{1,2}(\/|$)|%2f|%5c|%2e|%00|\\|\/\//i;

/** Where a path under `/v1/` leads, and a call of the cloud's API; undefined when nowhere. Query strings are not part of it. */
export function routeOf(method: string, path: string): Routed | undefined {
  if (path === '/' && method === 'POST') return marketApi;
  if (!path.startsWith('/v1/') || suspicious.test(path)) return undefined;
  const steps = path.slice('/v1/'.length).split('/');
  const found = ordered.find((candidate) =>
    candidate.steps.every((step, index) => step === steps[index] || (step === '*' && steps[index])),
  );
  if (!found) return undefined;
  const { to, open, path: resource } = found.rule;
  const reads = method === 'GET' || method === 'HEAD';
  return { to, route: `/v1/${resource}`, needsToken: !(open === 'all' || (open === 'read' && reads)) };
}
