import { z } from 'zod';
import { PriceModel, SkuSnapshot, productChanged } from '@yunshi/contracts/catalog';
import { flow, move, type IllegalMove, type StateOf } from '@yunshi/kernel/flow';
import { ProductId, ProviderId } from '@yunshi/kernel/ids';
import { DeliveryType } from '@yunshi/kernel/marketplace';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';

/** 已上架 and 已下架. Only a published product can be ordered; a withdrawn one stays for those who have bought it. */
export const productFlow = flow('product', {
  published: { withdraw: 'withdrawn' },
  withdrawn: { publish: 'published' },
});
export type ProductStatus = StateOf<typeof productFlow>;

const Sku = SkuSnapshot.extend({ name: z.string().trim().min(1).max(40) });

/** What a provider says about a product. English is second and may be missing. */
export const ProductDraft = z
  .object({
    productId: ProductId,
    providerId: ProviderId,
    categoryId: z.string().min(1),
    name: z.string().trim().min(2).max(40),
    nameEn: z.string().trim().min(2).max(80).nullable(),
    summary: z.string().trim().min(1).max(120),
    summaryEn: z.string().trim().min(1).max(240).nullable(),
    /** Markdown. */
    description: z.string().trim().min(1).max(20_000),
    /** How to begin after buying 使用指南, Markdown. */
    guide: z.string().trim().min(1).max(20_000),
    deliveryType: DeliveryType,
    humanDelivery: z.boolean(),
    skus: z.array(Sku).min(1).max(50),
  })
  .superRefine((draft, { addIssue }) => {
    const refuse = (path: (string | number)[], message: string) => addIssue({ code: 'custom', path, message });
    if (draft.humanDelivery && draft.deliveryType !== 'saas') refuse(['humanDelivery'], 'is for SaaS products only');
    if (!draft.skus.some((sku) => sku.onSale && sku.trialOf === undefined)) refuse(['skus'], 'need one on sale that is no trial');
    if (new Set(draft.skus.map((sku) => sku.skuId)).size < draft.skus.length) refuse(['skus'], 'must not repeat an id');
    draft.skus.forEach((sku, index) => {
      const formal = draft.skus.find((other) => other.skuId === sku.trialOf);
      if (sku.trialOf !== undefined && (!formal || formal.trialOf !== undefined)) {
        refuse(['skus', index, 'trialOf'], 'must name a SKU of the same product that is no trial');
      }
      const wrong = wrongPrice(draft.deliveryType, sku.price);
      if (wrong) refuse(['skus', index, 'price'], wrong);
    });
  });
export type ProductDraft = z.infer<typeof ProductDraft>;

/** Which price models make sense for what is delivered. Calls are sold in packages, and nothing else is. */
const modelsOf: Readonly<Record<DeliveryType, readonly PriceModel['model'][]>> = {
  image: ['per_period'],
  human_service: ['one_off', 'per_quantity'],
  saas: ['per_period', 'per_quantity', 'one_off'],
  api: ['per_package'],
};

function wrongPrice(deliveryType: DeliveryType, price: PriceModel): string | undefined {
  if (!modelsOf[deliveryType].includes(price.model)) return `${price.model} is not for ${deliveryType}`;
  if (price.model !== 'per_quantity') return undefined;
  if (price.minimum > price.maximum) return 'the minimum must not exceed the maximum';
  if ((price.unit === undefined) !== (price.durations === undefined)) return 'unit and durations go together';
  return undefined;
}

export type Product = ProductDraft & {
  /** Grows by one with each change, so that replicas can tell the newest. */
  readonly productVersion: number;
  readonly status: ProductStatus;
  readonly publishedAt: Date;
  readonly changedAt: Date;
};

export type DraftRefusal = {
  readonly code: 'draft-invalid';
  readonly issues: readonly { readonly field: string; readonly message: string }[];
};

export function publish(draft: ProductDraft, now: Date): Result<Product, DraftRefusal> {
  const checked = ProductDraft.safeParse(draft);
  if (!checked.success) {
    return no({ code: 'draft-invalid', issues: checked.error.issues.map(({ path, message }) => ({ field: path.join('.'), message })) });
  }
  return ok({ ...checked.data, productVersion: 1, status: 'published', publishedAt: now, changedAt: now });
}

/** Takes the product off the shelf, or puts it back. */
export function shelve(product: Product, action: 'withdraw' | 'publish', now: Date): Result<Product, IllegalMove> {
  const status = move(productFlow, product.status, action);
  if (!status.ok) return status;
  return ok({ ...product, status: status.value, productVersion: product.productVersion + 1, changedAt: now });
}

/** What others are told about the product, whole. */
export const changeOf = (product: Product, providerName: string) =>
  productChanged({
    productId: product.productId,
    productVersion: product.productVersion,
    providerId: product.providerId,
    providerName,
    name: product.name,
    deliveryType: product.deliveryType,
    humanDelivery: product.humanDelivery,
    status: product.status,
    skus: product.skus,
  });

/** The lowest unit price of what is on sale, trials left out: what «from ¥…» shows and the list sorts by. */
export const priceFrom = (product: Pick<Product, 'skus'>): Fen =>
  Math.min(...product.skus.filter((sku) => sku.onSale && sku.trialOf === undefined).map((sku) => sku.price.price));
