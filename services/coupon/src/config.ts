import { configOf, seeded, serviceEnvironment } from '@yunshi/service/environment';

/** The variables that this service reads. */
export const Environment = serviceEnvironment(seeded);

export type Config = ReturnType<typeof readConfig>;

export function readConfig(env: NodeJS.ProcessEnv) {
  const read = Environment.parse(env);
  return { ...configOf(read), seed: read.SEED === 'demo' };
}
