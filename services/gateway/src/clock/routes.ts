import { moveClock, readClocks } from '@yunshi/messaging/clock';
import { problemTable } from '@yunshi/http/problem';
import type { Routes } from '@yunshi/http/server';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { durationMs } from './duration.ts';

export const Problem = problemTable({
  'clock-only-forward': {
    status: 422,
    title: 'Business time only moves forward',
    remedy: 'Send a duration above zero, or a time after the present business time.',
  },
  'clock-not-everywhere': {
    status: 503,
    title: 'Not every service has moved its clock',
    remedy: 'Read the clock, see that the services named in `missing` run, and move it again: a service catches up with the furthest.',
  },
});

/** Ten years: enough for any story, and far from where dates stop working. */
const offsetMsMax = 10 * 366 * 86_400_000;

const Duration = z
  .string()
  .refine((text) => durationMs(text) !== undefined, 'a duration like P30D, PT24H or P1DT12H')
  .meta({ example: 'PT24H', description: 'ISO 8601, in weeks, days, hours, minutes, seconds' });
const Move = z
  .union([z.strictObject({ advance: Duration }), z.strictObject({ to: z.iso.datetime({ offset: true }) })])
  .meta({ id: 'ClockMove' });
const Clock = z
  .object({
    now: z.iso.datetime({ offset: true }).meta({ description: 'Business time' }),
    offset_ms: z.int().meta({ description: 'How far it is ahead of the wall clock' }),
    services: z.array(z.string()).meta({ description: 'Services that have stored this time' }),
  })
  .meta({ id: 'Clock' });

type Deps = { readonly nc: NatsConnection; readonly wallNow: () => Date };

/** Moves business time for all services at once, so that «30 days later» is one call. Never in production. */
export const clockRoutes =
  ({ nc, wallNow }: Deps): Routes =>
  async (app) => {
    const tags = ['development'];
    const show = (offsetMs: number, services: readonly string[]) => ({
      now: new Date(wallNow().getTime() + offsetMs).toISOString(),
      offset_ms: offsetMs,
      services: [...services].sort(),
    });

    app.get(
      '/v1/test/clock',
      { config: { access: ['operator'] }, schema: { tags, summary: 'Read the test clock', response: { 200: Clock } } },
      async () => {
        const clocks = await readClocks(nc);
        const offsetMs = Math.max(0, ...clocks.values());
        return show(
          offsetMs,
          [...clocks].filter(([, offset]) => offset === offsetMs).map(([service]) => service),
        );
      },
    );

    app.post(
      '/v1/test/clock',
      {
        config: { access: ['operator'], problems: Problem.codes('clock-only-forward', 'clock-not-everywhere') },
        schema: { tags, summary: 'Move the test clock of all services', body: Move, response: { 200: Clock } },
      },
      async ({ body }) => {
        const before = await readClocks(nc);
        const offsetMs = Math.max(0, ...before.values());
        const byMs = 'advance' in body ? durationMs(body.advance)! : new Date(body.to).getTime() - (wallNow().getTime() + offsetMs);
        if (!(byMs > 0) || offsetMs + byMs > offsetMsMax) throw new Problem('clock-only-forward');
        const moved = await moveClock(nc, byMs);
        const missing = [...before.keys()].filter((service) => !moved.services.includes(service));
        if (missing.length > 0)
          throw new Problem('clock-not-everywhere', { detail: `Not moved: ${missing.join(', ')}.`, members: { missing } });
        return show(moved.offsetMs, moved.services);
      },
    );
  };
