import { z } from 'zod';
import { InstanceId } from '@yunshi/kernel/ids';
import { query } from './define.ts';

/** How many calls of an API instance upstreams have got 已用次数. */
export const usedCalls = query('api-gateway.used-calls', 1, {
  data: z.object({ instanceId: InstanceId }),
  answer: z.object({ used: z.int().min(0) }),
});
