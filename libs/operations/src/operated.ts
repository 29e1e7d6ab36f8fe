import type { Core } from '@yunshi/messaging/core';

/** A service as its operators see it. `service` is its name at the gateway, as in `/v1/ops/<service>/…`. */
export type Operated = { readonly service: string; readonly core: Pick<Core, 'sql' | 'clock'> };
