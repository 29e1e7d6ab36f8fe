import { stopTelemetry } from '@yunshi/telemetry/sdk';
import { start } from './app.ts';
import { readConfig } from './config.ts';

const running = await start(readConfig(process.env));
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
