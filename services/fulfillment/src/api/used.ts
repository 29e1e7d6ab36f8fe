import { usedCalls } from '@yunshi/contracts/api-gateway';
import type { InstanceId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';

const askMsMax = 1_000;

/** How many calls were counted, as the gateway for calls says now; an instance is shown without it while that does not answer. */
export const usedCallsFrom = (core: Pick<Core, 'ask'>, instanceId: InstanceId): Promise<number | null> =>
  core.ask(usedCalls, { instanceId }, askMsMax).then(
    ({ used }) => used,
    () => null,
  );
