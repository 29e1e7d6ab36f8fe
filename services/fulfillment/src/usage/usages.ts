import type { Sql } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import type { InstanceId } from '@yunshi/kernel/ids';
import { usages } from '../tables.ts';
import type { Usage } from './usage.ts';

/** What is known of the usage of instances: the only SQL for it. Whose instance it is, the instance says. */

export const usageRows = rowsOf(usages, 'instanceId');

export const findUsage = async (sql: Sql, instanceId: InstanceId): Promise<Usage | undefined> =>
  (await usageRows.find(sql, [instanceId]))[0];
