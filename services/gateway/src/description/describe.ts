import type { OpenApiDocument } from '@yunshi/http/openapi';
import type { FastifyBaseLogger } from 'fastify';
import { routeOf } from '../routing/table.ts';
import { mergeDescriptions, type Merged } from './merge.ts';
import type { Source } from './source.ts';

const info: OpenApiDocument['info'] = {
  title: 'Yunshi 云市',
  version: '1',
  description: [
    'The buying side of a cloud marketplace. Amounts are integer fen (CNY), times RFC 3339.',
    'Every error is a problem document (RFC 9457) with a stable `code`; all codes are explained at [/problems](/problems).',
    'A POST that creates or moves money takes an `Idempotency-Key`: repeat the request with the same key, and it happens once.',
    'Lists take `limit` and `cursor`, and answer `items` and `next_cursor`.',
  ].join('\n\n'),
};

const tags: Readonly<Record<string, string>> = {
  products: 'Products, their SKUs and providers',
  coupons: 'Coupons: offered, claimed, usable',
  orders: 'Quotes and orders, told live as they change',
  'payment-gateway': 'Payments, and the channels’ callbacks',
  fulfillment: 'Instances, and the log of calls to providers',
  'api-gateway': 'What was called with API products: the log, and counts for charts',
  operations: 'For operators: sagas, dead letters, money that needs a look, and what operators have done',
  development: 'Only where nothing is real: personas, tokens, the test clock',
};

/** Describes the whole API out of the gateway's own description and those of the services. */
export function describer(source: Source, log: FastifyBaseLogger) {
  let said = '';
  return async (own: OpenApiDocument): Promise<Merged & { readonly missing: readonly string[] }> => {
    const { services, missing } = await source();
    const merged = mergeDescriptions({
      info,
      own: { service: 'gateway', document: own },
      services,
      missing,
      tags,
      leadsTo: (method, path) => routeOf(method, path)?.to,
    });
    const strays = merged.strays.join(', ');
    if (strays !== said) log.warn({ strays: merged.strays }, 'routes that the gateway does not lead to are left out of the description');
    said = strays;
    return { ...merged, missing };
  };
}
