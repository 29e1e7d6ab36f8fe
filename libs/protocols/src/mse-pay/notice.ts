import { z } from 'zod';

/** What the channel sends by itself. The content says what happened; `event_type` is a summary of it. */
export const Notice = z.object({
  api_version: z.string(),
  live_mode: z.boolean(),
  event_id: z.string().min(1).max(64),
  event_type: z.string().min(1).max(64),
  pending_webhooks: z.int().optional(),
  create_time: z.iso.datetime({ offset: true }),
  event_content: z.record(z.string(), z.unknown()),
});
export type Notice = z.infer<typeof Notice>;

/** The body of every 4xx and 5xx. */
export const WireError = z.object({
  error: z.object({ code: z.string(), desc: z.string(), detail: z.string().optional() }),
  trace_id: z.string().optional(),
});
export type WireError = z.infer<typeof WireError>;
