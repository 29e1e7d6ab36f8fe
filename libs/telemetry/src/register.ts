/**
 * Preloaded by every service: `node --import @yunshi/telemetry/register src/main.ts`.
 * It must come before fastify and the services' own modules, which take their tracers and meters when they are loaded.
 */
import { startTelemetry, stopTelemetry } from './sdk.ts';

await startTelemetry(process.env);
process.once('beforeExit', () => void stopTelemetry());
