import type { Sql } from '@yunshi/db/connect';
import { until } from '@yunshi/testing/until';
import { violations } from '../invariants.ts';
import type { Violation } from '../rules.ts';
import { brokenPromises } from './acknowledgements.ts';
import type { Acknowledged, Load } from './load.ts';
import { raise } from './nemesis.ts';
import type { Stage } from './stage.ts';

const leaveWithinMs = 60_000;
const quietWithinMs = 90_000;
const lookEveryMs = 1_000;
/** Business time between two looks: what waits for an hour, such as a refund that is tried again, need not be waited for. */
const advance = 'PT1H';
/** Longer than an order waits for its payment. */
const firstAdvance = 'PT24H1M';

/** The faults are over. Waits until the customers have left and every rule holds; answers the rules that do not. */
export async function broughtToRest(stage: Stage, load: Load): Promise<readonly Violation[]> {
  const down = await startAll(stage);
  const waiting = await load.stop(leaveWithinMs);
  const stuck: Violation[] = waiting > 0 ? [{ rule: 'every customer gets a clear answer once all is well', rows: [{ waiting }] }] : [];
  await stage.operator.post('/v1/test/clock', { advance: firstAdvance });
  let left: readonly Violation[] = [];
  await until(
    async () => {
      left = await violations(stage.sql);
      if (left.length > 0) await stage.operator.post('/v1/test/clock', { advance });
      return left.length === 0;
    },
    { within: quietWithinMs, every: lookEveryMs },
  ).catch((error: unknown) => {
    if (left.length === 0) left = [{ rule: 'the books can be read', rows: [String(error)] }];
  });
  return [...down, ...stuck, ...left, ...brokenPromises(load.acknowledged, await kept(stage.sql, load.acknowledged))];
}

/** A part that ended and did not come back by itself is started; one that cannot be is a violation. */
async function startAll({ system, services }: Stage): Promise<Violation[]> {
  const isReady = async (part: string) => (await fetch(`${system.urls[part]}/readyz`, { signal: AbortSignal.timeout(5_000) })).ok;
  const rows = await Promise.all(
    services.map(async (part) => {
      if (system.pidOf(part) === undefined) await raise(system, part).catch(() => undefined);
      return until(() => isReady(part), { within: quietWithinMs, every: 500 }).then(
        () => [],
        (error: unknown) => [{ part, why: String(error) }],
      );
    }),
  );
  return rows.flat().length > 0 ? [{ rule: 'every service is ready again', rows: rows.flat() }] : [];
}

async function kept(sql: Sql, { orders }: Acknowledged) {
  const known = await sql<{ orderId: string }[]>`select order_id as "orderId" from svc_order.orders`;
  const paid = await sql<{ transactionId: string }[]>`
    select s.transaction_id as "transactionId" from svc_sandbox.wechat_sub_orders s
    join svc_sandbox.wechat_orders o on o.number = s.order_number where o.state = 'SUCCESS'`;
  return {
    orderIds: new Set(known.map(({ orderId }) => orderId)),
    transactions: new Set(paid.map(({ transactionId }) => transactionId)),
    unnamed: known.filter(({ orderId }) => !orders.has(orderId)).length,
  };
}
