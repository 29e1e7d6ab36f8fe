import { z } from 'zod';
import type { SkuSnapshot } from '@yunshi/contracts/catalog';
import { chinaTime } from '@yunshi/kernel/calendar';
import { ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { DeliveryType, FlowUnit } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { priceRead, skuShown, WirePrice, WireSku } from '../wire.ts';
import { productFlow, type Edition, type Product, type ProductDraft } from './product.ts';
import type { Own, ProductRow } from './products.ts';

// A product as its provider writes and reads it. Lengths and ranges are the rules' own: see product.ts.

const Text = z.string().max(20_000);

const sku = {
  name: Text.meta({ example: '团队版' }),
  price: WirePrice,
  trial_of: Text.nullable()
    .default(null)
    .meta({ description: 'For a trial 试用: the SKU that it converts to, by its `sku_id`, or by its name where it is new' }),
  on_sale: z.boolean().default(true),
  flow: z
    .strictObject({ amount: z.int().meta({ example: 2_000, description: 'Of each piece that is bought' }), unit: FlowUnit })
    .nullable()
    .default(null)
    .meta({
      description:
        'Marks a metered SKU 计量类: the provider counts what is used of it, and tells when it is asked. Sold only while the published interface has been checked for it.',
    }),
  per_account_max: z.int().nullable().default(null).meta({
    description:
      '每账号限购: how often an account may buy it, 1 to 1000. What ended unpaid or was refunded in full does not count, nor do renewals.',
  }),
};
const EditedSku = z
  .strictObject({ sku_id: SkuId.optional().meta({ description: 'Left out, the SKU is new' }), ...sku })
  .meta({ id: 'EditedSku' });

const texts = {
  category_id: z.string().max(40),
  name: Text,
  name_en: Text.nullable().default(null),
  summary: Text,
  summary_en: Text.nullable().default(null),
  description: Text.meta({ description: 'Markdown' }),
  guide: Text.meta({ description: '使用指南, Markdown' }),
  human_delivery: z.boolean().default(false).meta({ description: 'A SaaS product that also needs human delivery' }),
};

export const NewProduct = z
  .strictObject({
    ...texts,
    delivery_type: DeliveryType,
    skus: z.array(z.strictObject(sku).meta({ id: 'NewSku' })).min(1),
    publish: z.boolean().default(false).meta({ description: 'Put it on the shelf at once; otherwise it is a draft 草稿' }),
  })
  .meta({ id: 'NewProduct' });

export const EditedProduct = z
  .strictObject({
    ...texts,
    skus: z.array(EditedSku).min(1).meta({ description: 'SKUs that are left out go off sale' }),
    product_version: z.int().min(1).meta({ description: 'Of the product as you read it; refused if it has changed since' }),
  })
  .meta({ id: 'EditedProduct' });

export const WireOwn = z
  .object({
    product_id: ProductId,
    provider_id: ProviderId,
    product_version: z.int(),
    status: z.enum(productFlow.states),
    ...texts,
    name_en: z.string().nullable(),
    summary_en: z.string().nullable(),
    human_delivery: z.boolean(),
    delivery_type: DeliveryType,
    skus: z.array(WireSku),
    price_from: Fen,
    published_at: z.iso.datetime({ offset: true }).nullable(),
    changed_at: z.iso.datetime({ offset: true }),
  })
  .meta({ id: 'OwnProduct' });
export const WireOwnListed = WireOwn.extend({ sales_count: z.int().meta({ description: '交易成功' }) }).meta({ id: 'OwnListedProduct' });

type WrittenSku = Omit<z.output<typeof EditedSku>, 'sku_id'> & { readonly sku_id?: SkuId | undefined };

/** The SKUs that were written, new ones with ids made by `newSkuId`. A trial may name its SKU by id or by name. */
function skusRead(written: readonly WrittenSku[], newSkuId: () => SkuId) {
  const identified = written.map((one) => ({ ...one, skuId: one.sku_id ?? newSkuId() }));
  const skus = identified.map(({ skuId, name, price, trial_of: trialOf, on_sale: onSale, flow, per_account_max: max }): SkuSnapshot => {
    // What names nothing is left as it is: the rules refuse it, and say where it stands.
    const formal =
      identified.find((other) => other.skuId === trialOf || other.name.trim() === trialOf?.trim())?.skuId ?? (trialOf as SkuId);
    const limit = max !== null && { perAccountMax: max };
    const metered = flow !== null && { flow };
    return { skuId, name, price: priceRead(price), onSale, ...(trialOf !== null && { trialOf: formal }), ...metered, ...limit };
  });
  return { skus, added: identified.filter((one) => one.sku_id === undefined).map(({ skuId }) => skuId) };
}

const textsRead = (written: z.output<typeof NewProduct> | z.output<typeof EditedProduct>) => ({
  categoryId: written.category_id,
  name: written.name,
  nameEn: written.name_en,
  summary: written.summary,
  summaryEn: written.summary_en,
  description: written.description,
  guide: written.guide,
  humanDelivery: written.human_delivery,
});

export function draftRead(
  written: z.output<typeof NewProduct>,
  of: { readonly productId: ProductId; readonly providerId: ProviderId },
  newSkuId: () => SkuId,
): ProductDraft {
  const { skus } = skusRead(written.skus, newSkuId);
  return { ...of, ...textsRead(written), deliveryType: written.delivery_type, skus };
}

export const editionRead = (written: z.output<typeof EditedProduct>, newSkuId: () => SkuId): Edition => ({
  ...textsRead(written),
  ...skusRead(written.skus, newSkuId),
});

export const ownShown = (product: Product & Pick<ProductRow, 'priceFrom'>): z.input<typeof WireOwn> => ({
  product_id: product.productId,
  provider_id: product.providerId,
  product_version: product.productVersion,
  status: product.status,
  category_id: product.categoryId,
  name: product.name,
  name_en: product.nameEn,
  summary: product.summary,
  summary_en: product.summaryEn,
  description: product.description,
  guide: product.guide,
  delivery_type: product.deliveryType,
  human_delivery: product.humanDelivery,
  skus: product.skus.map(skuShown),
  price_from: product.priceFrom,
  published_at: product.status === 'draft' ? null : chinaTime(product.publishedAt),
  changed_at: chinaTime(product.changedAt),
});

export const ownListedShown = (product: Own): z.input<typeof WireOwnListed> => ({
  ...ownShown(product),
  sales_count: product.completedSales,
});
