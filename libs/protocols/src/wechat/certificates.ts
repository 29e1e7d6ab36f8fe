import { z } from 'zod';
import { WireTime } from './combine.ts';
import { Sealed } from './seal.ts';

/** The answer to `GET /v3/certificates`. Several entries while one certificate takes over from another: keep them all. */
export const Certificates = z.object({
  data: z.array(
    z.object({
      serial_no: z.string().regex(/^[0-9A-F]{1,40}$/i),
      effective_time: WireTime,
      expire_time: WireTime,
      encrypt_certificate: Sealed,
    }),
  ),
});
export type Certificates = z.infer<typeof Certificates>;
