import { z } from 'zod';
import { PriceModel, SkuSnapshot, productChanged } from '@yunshi/contracts/catalog';
import { flow, move, type IllegalMove, type StateOf } from '@yunshi/kernel/flow';
import { ProductId, ProviderId, type SkuId } from '@yunshi/kernel/ids';
import { DeliveryType } from '@yunshi/kernel/marketplace';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';

/** 草稿, 已上架 and 已下架. Only a published product can be ordered; a withdrawn one stays for those who have bought it, a draft is nobody's but its provider's. */
export const productFlow = flow('product', {
  draft: { publish: 'published' },
  published: { withdraw: 'withdrawn' },
  withdrawn: { publish: 'published' },
});
export type ProductStatus = StateOf<typeof productFlow>;

/** On sale or not: those that are not are kept for who has bought them. */
const skusMax = 50;

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
    skus: z.array(Sku).min(1).max(skusMax),
  })
  .superRefine((draft, { addIssue }) => {
    const refuse = (path: (string | number)[], message: string) => addIssue({ code: 'custom', path, message });
    if (draft.humanDelivery && draft.deliveryType !== 'saas') refuse(['humanDelivery'], 'is for SaaS products only');
    if (!draft.skus.some((sku) => sku.onSale && sku.trialOf === undefined)) refuse(['skus'], 'need one on sale that is no trial');
    if (new Set(draft.skus.map((sku) => sku.skuId)).size < draft.skus.length) refuse(['skus'], 'must not repeat an id');
    if (new Set(draft.skus.map((sku) => sku.name)).size < draft.skus.length) refuse(['skus'], 'must not repeat a name');
    draft.skus.forEach((sku, index) => {
      const formal = draft.skus.find((other) => other.skuId === sku.trialOf);
      if (sku.trialOf !== undefined && (!formal || formal.trialOf !== undefined)) {
        refuse(['skus', index, 'trialOf'], 'must name a SKU of the same product that is no trial');
      }
      if (sku.trialOf !== undefined && sku.perAccountMax !== undefined) {
        refuse(['skus', index, 'perAccountMax'], 'is not for trials: a buyer has one of each product anyway');
      }
      if (sku.flow !== undefined && (draft.deliveryType !== 'saas' || draft.humanDelivery)) {
        refuse(['skus', index, 'flow'], 'is for software that is delivered by a call: nobody else can be asked what was used');
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

function checked(draft: ProductDraft): Result<ProductDraft, DraftRefusal> {
  const result = ProductDraft.safeParse(draft);
  if (result.success) return ok(result.data);
  return no({ code: 'draft-invalid', issues: result.error.issues.map(({ path, message }) => ({ field: path.join('.'), message })) });
}

/** A product that its provider alone can see. It obeys all rules already, so that publishing it is one step. */
export function create(draft: ProductDraft, now: Date): Result<Product, DraftRefusal> {
  const good = checked(draft);
  return good.ok ? ok({ ...good.value, productVersion: 1, status: 'draft', publishedAt: now, changedAt: now }) : good;
}

/** Whether the product's interface 接口 has passed its online check and is published, and whether it was seen to answer for metered SKUs. */
export type Interface = { readonly isPublished: boolean; readonly isMetering: boolean };
export type NotCallable = { readonly code: 'endpoint-not-published' | 'endpoint-not-metering' };

/** Software is delivered by a call to its provider, unless people deliver it, and an API is nothing but calls: somebody has to answer them. */
const lacksInterface = (product: Pick<Product, 'deliveryType' | 'humanDelivery'>, { isPublished }: Interface): boolean =>
  (product.deliveryType === 'saas' || product.deliveryType === 'api') && !product.humanDelivery && !isPublished;

/** Of what is metered its buyer wants to know what is left: it is on the shelf only while somebody has been seen to tell. */
const lacksMetering = ({ skus }: Pick<Product, 'skus'>, { isMetering }: Interface): boolean =>
  !isMetering && skus.some(({ onSale, flow }) => onSale && flow !== undefined);

/** What comes on sale as metered by a change: what was so before is let be, as all that stands on the shelf. */
const offeredSince = (before: Pick<Product, 'skus'>, { skus }: Pick<Product, 'skus'>): Pick<Product, 'skus'> => {
  const known = new Set(before.skus.filter(({ onSale, flow }) => onSale && flow !== undefined).map(({ skuId }) => skuId));
  return { skus: skus.filter(({ skuId }) => !known.has(skuId)) };
};

function notCallable(product: Pick<Product, 'deliveryType' | 'humanDelivery' | 'skus'>, its: Interface): NotCallable | undefined {
  if (lacksInterface(product, its)) return { code: 'endpoint-not-published' };
  return lacksMetering(product, its) ? { code: 'endpoint-not-metering' } : undefined;
}

/** A product that is on the shelf from the start. */
export function publish(draft: ProductDraft, its: Interface, now: Date): Result<Product, DraftRefusal | NotCallable> {
  const created = create(draft, now);
  if (!created.ok) return created;
  const lack = notCallable(created.value, its);
  return lack ? no(lack) : ok({ ...created.value, status: 'published' });
}

/** What a provider may say anew about a product. Whose it is and how it is delivered stays, because instances depend on it. */
export type Edition = Omit<ProductDraft, 'productId' | 'providerId' | 'deliveryType'> & {
  /** Those of the SKUs that are new: their ids were made for them. */
  readonly added: readonly SkuId[];
};
export type EditRefusal = DraftRefusal | NotCallable | { readonly code: 'changed-meanwhile'; readonly productVersion: number };

/**
 * Takes the new texts and SKUs over. `basedOn` is the version that the provider had read. SKUs that are left out go off sale, because
 * those who have bought them still renew by them; for the same reason a SKU keeps its price model and unit, while its price may change.
 */
export function edit(product: Product, edition: Edition, basedOn: number, its: Interface, now: Date): Result<Product, EditRefusal> {
  if (product.productVersion !== basedOn) return no({ code: 'changed-meanwhile', productVersion: product.productVersion });
  const issues = edition.skus.flatMap((sku, index) => (edition.added.includes(sku.skuId) ? [] : wrongSuccession(product.skus, sku, index)));
  if (issues.length > 0) return no({ code: 'draft-invalid', issues });
  const named = new Set(edition.skus.map(({ skuId }) => skuId));
  const leftOut = product.skus.filter(({ skuId }) => !named.has(skuId)).map((sku) => ({ ...sku, onSale: false }));
  const skus = [...edition.skus, ...leftOut];
  const { productId, providerId, deliveryType } = product;
  const good = checked({ ...edition, productId, providerId, deliveryType, skus });
  if (!good.ok) return good;
  // What people have delivered so far may not turn into something that nobody answers for, behind the back of the check.
  const turnsCalled = product.status === 'published' && product.humanDelivery && !edition.humanDelivery;
  if (turnsCalled && lacksInterface({ ...product, ...good.value }, its)) return no({ code: 'endpoint-not-published' });
  if (product.status === 'published' && lacksMetering(offeredSince(product, good.value), its)) return no({ code: 'endpoint-not-metering' });
  return ok(changed({ ...product, ...good.value }, now));
}

function wrongSuccession(known: readonly SkuSnapshot[], { skuId, price }: SkuSnapshot, index: number) {
  const before = known.find((sku) => sku.skuId === skuId);
  if (!before) return [{ field: `skus.${index}.skuId`, message: 'is no SKU of this product; leave it out to add one' }];
  const isSame = before.price.model === price.model && unitOf(before.price) === unitOf(price);
  return isSame ? [] : [{ field: `skus.${index}.price`, message: 'must keep its model and unit; add another SKU instead' }];
}

const unitOf = (price: PriceModel): string | undefined => ('unit' in price ? price.unit : undefined);

const changed = (product: Product, now: Date): Product => ({ ...product, productVersion: product.productVersion + 1, changedAt: now });

/** Puts the product on the shelf, or takes it off. */
export function shelve<P extends Product>(
  product: P,
  action: 'withdraw' | 'publish',
  its: Interface,
  now: Date,
): Result<P, IllegalMove | NotCallable> {
  const status = move(productFlow, product.status, action);
  if (!status.ok) return status;
  const lack = action === 'publish' ? notCallable(product, its) : undefined;
  if (lack) return no(lack);
  const publishedAt = product.status === 'draft' ? now : product.publishedAt;
  return ok({ ...product, ...changed(product, now), status: status.value, publishedAt });
}

/** Puts one SKU on sale, or takes it off. The last one that is no trial cannot go: then the product itself is to be withdrawn. */
export function offer(
  product: Product,
  skuId: SkuId,
  onSale: boolean,
  its: Interface,
  now: Date,
): Result<Product, DraftRefusal | NotCallable | { readonly code: 'sku-unknown' }> {
  if (!product.skus.some((sku) => sku.skuId === skuId)) return no({ code: 'sku-unknown' });
  const skus = product.skus.map((sku) => (sku.skuId === skuId ? { ...sku, onSale } : sku));
  const good = checked({ ...product, skus });
  const adds = product.status === 'published' && lacksMetering(offeredSince(product, { skus }), its);
  if (good.ok && adds) return no({ code: 'endpoint-not-metering' });
  return good.ok ? ok(changed({ ...product, skus }, now)) : good;
}

/** What others are told about the product, whole. */
export const changeOf = (product: Product, provider: { readonly name: string; readonly selfOperated: boolean }) =>
  productChanged({
    productId: product.productId,
    productVersion: product.productVersion,
    providerId: product.providerId,
    providerName: provider.name,
    name: product.name,
    deliveryType: product.deliveryType,
    humanDelivery: product.humanDelivery,
    // What is not on the shelf is all the same to others, whether it was there before or not.
    status: product.status === 'published' ? 'published' : 'withdrawn',
    selfOperated: provider.selfOperated,
    skus: product.skus,
  });

/** The lowest unit price of what is on sale, trials left out: what «from ¥…» shows and the list sorts by. */
export const priceFrom = (product: Pick<Product, 'skus'>): Fen =>
  Math.min(...product.skus.filter((sku) => sku.onSale && sku.trialOf === undefined).map((sku) => sku.price.price));

/** Whether something can be tried for nothing before it is bought 试用. */
export const hasTrial = (product: Pick<Product, 'skus'>): boolean => product.skus.some((sku) => sku.onSale && sku.trialOf !== undefined);
