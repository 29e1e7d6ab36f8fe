import { z } from 'zod';

/** `POST /bill-downloads`: where the bill of a day can be fetched, and the hash of what is there. */
export const BillRequest = z.object({
  bill_date: z.iso.date(),
  bill_type: z.enum(['ALL', 'SUCCEEDED', 'REFUND']),
  ent_id: z.string().optional(),
});
export type BillRequest = z.infer<typeof BillRequest>;

export const BillAnswer = z.object({ hash_type: z.string(), hash_value: z.string(), download_url: z.url() });
export type BillAnswer = z.infer<typeof BillAnswer>;
