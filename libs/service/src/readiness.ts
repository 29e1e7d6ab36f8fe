import type { Core } from '@yunshi/messaging/core';

/** The checks of /readyz: one for each thing that must be well before requests are welcome. */
export const readiness = (core: Pick<Core, 'ready'>): Readonly<Record<'database' | 'nats', () => Promise<void>>> => {
  const well = (name: 'database' | 'nats') => async (): Promise<void> => {
    if (!(await core.ready())[name]) throw new Error(`${name} is not well`);
  };
  return { database: well('database'), nats: well('nats') };
};
