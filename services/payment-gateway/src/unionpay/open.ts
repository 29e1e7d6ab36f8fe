import type { Channel } from '@yunshi/contracts/payment';
import type { Routes } from '@yunshi/http/server';
import { wallClock } from '@yunshi/kernel/clock';
import type { Parts } from '@yunshi/messaging/core';
import type { Log } from '@yunshi/telemetry/log';
import type { Config } from '../config.ts';
import type { PaymentBook } from '../payment/payments.ts';
import type { Taking } from '../payment/notices.ts';
import { unionpayCallbackRoutes } from './callbacks.ts';
import { unionpayChannel } from './channel.ts';
import { unionpayClient } from './client.ts';
import { unionpayBook } from './forms.ts';
import { openUnionpayKeys } from './keys.ts';
import { unionpayPageRoutes } from './pages.ts';
import { unionpayStatements } from './statement.ts';

type Around = Taking & { readonly core: Parts; readonly book: PaymentBook; readonly companyOf: (payee: string) => string };

/** Reads keys and certificates, and makes the way to UnionPay ready. */
export async function openUnionpay(
  { keys: sources, us, fileUrl, returnUrl }: NonNullable<Config['unionpay']>,
  log: Log,
  payeesAt: (channel: Channel) => readonly string[],
) {
  const keys = await openUnionpayKeys(sources, (error) => log.error({ err: error }, 'the keys of UnionPay could not be read again'));
  const client = unionpayClient({ keys, wall: wallClock, log });
  return {
    channel: ({ sql, clock }: Parts) => unionpayChannel({ client, book: unionpayBook(sql), us, clock }),
    statements: ({ clock }: Parts) => unionpayStatements({ client, fileUrl, merchants: () => payeesAt('unionpay_b2b'), clock }),
    routes: ({ core, book, writes, companyOf }: Around): Routes[] => {
      const forms = unionpayBook(core.sql);
      return [
        unionpayCallbackRoutes({ core, book, writes, keys, forms, wall: wallClock }),
        unionpayPageRoutes({ book, forms, keys, us, returnUrl, companyOf, clock: core.clock }),
      ];
    },
    stop: async () => {
      keys.stop();
      await client.close();
    },
  };
}
