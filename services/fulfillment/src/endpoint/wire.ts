import { CheckId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { z } from 'zod';
import { checkSteps } from './check.ts';
import { isChecked } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import type { CheckRow, ProductEndpoint } from './endpoints.ts';

const Time = z.iso.datetime({ offset: true });

const address = {
  dialect: z.string().meta({ example: 'tencent-saas' }),
  url: z.string(),
  is_played: z.boolean().meta({ description: 'Played by the sandbox, because no address has been set' }),
};
const Health = z
  .object({ probed_at: Time.nullable(), failing_since: Time.nullable(), note: z.string().nullable() })
  .meta({ description: 'What the probe, twice a day, has found' });

const Metering = z.boolean().meta({ description: 'The check that it has passed asked for usage, too: what a metered SKU 计量类 needs' });

export const ShownEndpoint = z
  .object({
    product_id: ProductId,
    product_number: z.int().meta({ description: 'The productId in the protocol' }),
    debug: z
      .object({
        ...address,
        verified_at: Time.nullable(),
        is_checked: z.boolean().meta({ description: 'It has passed the online check' }),
        is_metering: Metering,
      })
      .nullable()
      .meta({ description: '调试: what is checked, and published once it has passed' }),
    delivery: z
      .object({ ...address, published_at: Time.nullable(), is_metering: Metering })
      .nullable()
      .meta({ description: '发货: what deliveries are sent to' }),
    running_check: CheckId.nullable(),
    health: Health,
  })
  .meta({ id: 'Endpoint', description: 'Tokens are never shown' });

export const NewEndpoint = z
  .strictObject({
    dialect: z.string().max(64).default('tencent-saas').meta({ description: '`tencent-saas` or `alibaba-spi`' }),
    url: z.string().max(2_048),
    token: z.string().min(8).max(128).meta({ description: 'Had better begin with a letter: some providers do not sort before they sign' }),
  })
  .meta({ id: 'NewEndpoint' });

export const ListedEndpoint = z
  .object({ product_id: ProductId, provider_id: ProviderId, dialect: z.string().nullable(), published_at: Time.nullable(), health: Health })
  .meta({ id: 'ListedEndpoint' });

const StepShown = z.object({
  step: z.enum(checkSteps),
  passed: z.boolean(),
  tries: z.int(),
  url: z.string().nullable().meta({ description: 'Without its signature' }),
  request: z.string().nullable(),
  http_status: z.int().nullable(),
  answer: z.string().nullable().meta({ description: 'Without credentials' }),
  note: z.string().nullable(),
  performed_at: Time,
  duration_ms: z.int(),
});
export const ShownCheck = z
  .object({
    check_id: CheckId,
    product_id: ProductId,
    state: z.enum(['running', 'passed', 'failed']),
    started_at: Time,
    ended_at: Time.nullable(),
    steps: z.array(z.enum(checkSteps)).meta({ description: 'All of them have to pass' }),
    results: z.array(StepShown).meta({ description: 'After a failure only what had been made is destroyed' }),
  })
  .meta({ id: 'EndpointCheck' });

const healthOf = ({ probedAt, failingSince, probeNote }: Pick<Endpoint, 'probedAt' | 'failingSince' | 'probeNote'>) => ({
  probed_at: probedAt?.toISOString() ?? null,
  failing_since: failingSince?.toISOString() ?? null,
  note: probeNote,
});

export const endpointShown = (
  productId: ProductId,
  row: Endpoint,
  of: { readonly number: number; readonly debug: ProductEndpoint | undefined; readonly delivery: ProductEndpoint | undefined },
): z.infer<typeof ShownEndpoint> => ({
  product_id: productId,
  product_number: of.number,
  debug: of.debug
    ? {
        dialect: of.debug.dialect,
        url: of.debug.url,
        is_played: of.debug.isPlayed,
        verified_at: row.verifiedAt?.toISOString() ?? null,
        is_checked: isChecked(row),
        is_metering: isChecked(row) && row.passedMetering,
      }
    : null,
  delivery: of.delivery
    ? {
        dialect: of.delivery.dialect,
        url: of.delivery.url,
        is_played: of.delivery.isPlayed,
        published_at: row.publishedAt?.toISOString() ?? null,
        is_metering: row.isMetering,
      }
    : null,
  running_check: row.check?.checkId ?? null,
  health: healthOf(row),
});

export const endpointListed = (row: Endpoint): z.infer<typeof ListedEndpoint> => ({
  product_id: row.productId,
  provider_id: row.providerId,
  dialect: row.dialect,
  published_at: row.publishedAt?.toISOString() ?? null,
  health: healthOf(row),
});

export const checkShown = (row: CheckRow): z.infer<typeof ShownCheck> => ({
  check_id: row.checkId,
  product_id: row.productId,
  state: row.state,
  started_at: row.startedAt.toISOString(),
  ended_at: row.endedAt?.toISOString() ?? null,
  steps: [...row.steps],
  results: row.results.map(({ step, passed, tries, exchange }) => ({
    step,
    passed,
    tries,
    url: exchange.url ?? null,
    request: exchange.request ?? null,
    http_status: exchange.httpStatus ?? null,
    answer: exchange.answer ?? null,
    note: exchange.note ?? null,
    performed_at: exchange.performedAt,
    duration_ms: exchange.durationMs,
  })),
});
