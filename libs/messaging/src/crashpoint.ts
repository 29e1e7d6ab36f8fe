/**
 * A named point at which a test may end the process. `CRASH_AT=relay.after-publish:2` ends it with SIGKILL the second time
 * that the point is reached. Without the variable it does nothing.
 */
const [name, nth] = (process.env['CRASH_AT'] ?? '').split(':');
let left = Number(nth ?? 1);

export function crashpoint(point: string): void {
  if (point !== name) return;
  left--;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
