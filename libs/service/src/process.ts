import { stopTelemetry } from '@yunshi/telemetry/sdk';

/** Lets the process run until it is asked to end; then it finishes what is in hand and sends its last spans. */
export function untilSignal(running: { readonly stop: () => Promise<void> }): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void running
        .stop()
        .then(stopTelemetry)
        .then(() => process.exit(0));
    });
  }
}
