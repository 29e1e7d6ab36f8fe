import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Violation } from '../rules.ts';
import type { Stage } from './stage.ts';

const ordersMax = 3;
const linesMax = 12;

/** What somebody who has to find the cause looks at first: the broken rules, and the way of the orders that they name. */
export async function evidenceOf({ sql, dir }: Pick<Stage, 'sql' | 'dir'>, violations: readonly Violation[]): Promise<string[]> {
  const lines = violations.flatMap(({ rule, rows }) => [`BROKEN: ${rule}`, ...rows.map((row) => `    ${JSON.stringify(row)}`)]);
  const named = [...new Set(JSON.stringify(violations).match(/ord_[0-9a-f]{32}/g))].slice(0, ordersMax);
  for (const orderId of named) {
    const tables = {
      order: await sql`select status, payable, refunded, claim_id, placed_at from svc_order.orders where order_id = ${orderId}`,
      timeline: await sql`select version, at, what, status, reason from svc_order.timeline where order_id = ${orderId} order by version`,
      saga: await sql`select * from svc_order.sagas where key = ${orderId}`,
      payment: await sql`select * from svc_payment.payments where order_id = ${orderId}`,
      attempts: await sql`select * from svc_payment.payment_attempts where order_id = ${orderId}`,
      instance: await sql`select instance_id, status, delivery_type from svc_fulfillment.instances where order_id = ${orderId}`,
    };
    lines.push(`ORDER ${orderId}`);
    for (const [table, rows] of Object.entries(tables)) for (const row of rows) lines.push(`    ${table}: ${JSON.stringify(row)}`);
    lines.push(...logged(join(dir, 'log'), orderId));
  }
  return lines;
}

function logged(folder: string, text: string): string[] {
  const found = readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line.includes(text))
      .map((line) => `    ${name}: ${line.slice(0, 400)}`),
  );
  return found.slice(-linesMax);
}
