import { traceCalls } from './client.ts';
import { propagateOnly } from './context.ts';
import { traceServers } from './server.ts';
import { setParentsDecide } from './trace.ts';

type Sdk = { shutdown(): Promise<void> };
let running: Sdk | undefined;

/** How long a last export may hold up the end of a process. */
const flushTimeoutMs = 5_000;

const isExporting = (env: NodeJS.ProcessEnv): boolean =>
  env['OTEL_SDK_DISABLED'] !== 'true' &&
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    'OTEL_TRACES_EXPORTER',
    'OTEL_METRICS_EXPORTER',
  ].some((name) => env[name] !== undefined && env[name] !== '' && env[name] !== 'none');

/** Starts telemetry as the standard OTEL_* environment says. Must run before anything that takes a tracer or a meter. */
export async function startTelemetry(env: NodeJS.ProcessEnv): Promise<void> {
  if (isExporting(env)) running = await startSdk(env);
  else propagateOnly();
  setParentsDecide(env['OTEL_TRACES_SAMPLER']?.startsWith('parentbased') ?? true);
  traceServers();
  traceCalls();
}

/** Sends what has not been sent. To be called last, after the service has stopped; never throws. */
export async function stopTelemetry(): Promise<void> {
  const sdk = running;
  running = undefined;
  if (!sdk) return;
  const tooLate = new Promise<void>((resolve) => setTimeout(resolve, flushTimeoutMs).unref());
  await Promise.race([sdk.shutdown().catch(() => undefined), tooLate]);
}

async function startSdk(env: NodeJS.ProcessEnv): Promise<Sdk> {
  env['OTEL_TRACES_SAMPLER'] ||= 'parentbased_traceidratio';
  env['OTEL_TRACES_SAMPLER_ARG'] ||= '0.1';
  // Logs go to standard output, with trace ids; who collects them does so from there.
  env['OTEL_LOGS_EXPORTER'] ||= 'none';
  env['OTEL_METRICS_EXPORTER'] ||= 'otlp';
  const [{ NodeSDK }, { RuntimeNodeInstrumentation }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/instrumentation-runtime-node'),
  ]);
  const sdk = new NodeSDK({ instrumentations: [new RuntimeNodeInstrumentation({ monitoringPrecision: 5_000 })] });
  sdk.start();
  return sdk;
}
