import { configOf, serviceEnvironment } from '@yunshi/service/environment';

/** The variables that this service reads. */
export const Environment = serviceEnvironment({});

export type Config = ReturnType<typeof readConfig>;

export const readConfig = (env: NodeJS.ProcessEnv) => configOf(Environment.parse(env));
