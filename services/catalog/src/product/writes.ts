import type { ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import type { IllegalMove } from '@yunshi/kernel/flow';
import type { Result } from '@yunshi/kernel/result';
import { httpWrite, write, type Decision } from '@yunshi/messaging/handle';
import { brokenRules, Problem } from '../problems.ts';
import { saleCounts } from '../sale/sales.ts';
import { interfaceIn, publishedEndpoints } from '../interface/interfaces.ts';
import { ownShown } from './own-wire.ts';
import {
  changeOf,
  create,
  edit,
  offer,
  publish,
  shelve,
  type Edition,
  type EditRefusal,
  type NotCallable,
  type Product,
  type ProductDraft,
} from './product.ts';
import { products, rowOf, type Category, type ProductRow, type Provider } from './products.ts';

/** Whose product it is, and the names that it is found by. Neither the name of a shop nor that of a category ever changes. */
export type Shop = { readonly provider: Provider; readonly category: Category };
type Owned = { readonly productId: ProductId; readonly providerId: ProviderId };

type Refusal = EditRefusal | IllegalMove | NotCallable | { readonly code: 'sku-unknown' };

function refused(refusal: Refusal): Decision<ProductRow> {
  switch (refusal.code) {
    case 'draft-invalid':
      return { response: brokenRules(refusal.issues) };
    case 'changed-meanwhile':
      return { response: Problem.response('product-changed-meanwhile', { members: { product_version: refusal.productVersion } }) };
    case 'illegal-move':
      return { response: Problem.response('product-already-there', { detail: `The product is ${refusal.from}.` }) };
    case 'endpoint-not-published':
    case 'endpoint-not-metering':
      return { response: Problem.response(refusal.code) };
    case 'sku-unknown':
      return { response: Problem.response('not-found', { detail: 'The product has no such SKU.' }) };
  }
}

/** Saves what has become of a product, and tells the others. */
function saved(result: Result<Product, Refusal>, { provider, category }: Shop, status: 200 | 201): Decision<ProductRow> {
  if (!result.ok) return refused(result.error);
  const row = rowOf(result.value, [provider.name, provider.nameEn, category.name]);
  return { save: row, events: [changeOf(row, provider)], response: { status, body: ownShown(row) } };
}

const notYours: Decision<ProductRow> = { response: Problem.response('not-found', { detail: 'There is no such product of yours.' }) };

export const createProduct = httpWrite('create product', {
  of: products,
  key: ({ draft }: { readonly draft: ProductDraft; readonly shop: Shop; readonly publish: boolean }) => draft.productId,
  decide: ({ draft, shop, publish: atOnce }, _, { now }) => {
    // What is new cannot have been checked yet.
    const decision = saved(atOnce ? publish(draft, { isPublished: false, isMetering: false }, now) : create(draft, now), shop, 201);
    // Counting sales needs a row to lock.
    return decision.save ? { ...decision, writes: [write(saleCounts, { productId: draft.productId, completed: 0 })] } : decision;
  },
});

export const editProduct = httpWrite('edit product', {
  of: products,
  key: (ask: Owned & { readonly edition: Edition; readonly basedOn: number; readonly shop: Shop }) => ask.productId,
  beside: { of: publishedEndpoints, key: ({ productId }) => productId },
  decide: ({ providerId, edition, basedOn, shop }, product, { now, beside }) =>
    product?.providerId === providerId ? saved(edit(product, edition, basedOn, interfaceIn(beside), now), shop, 200) : notYours,
});

export const shelveProduct = httpWrite('shelve product', {
  of: products,
  key: (ask: Owned & { readonly action: 'withdraw' | 'publish'; readonly provider: Provider }) => ask.productId,
  beside: { of: publishedEndpoints, key: ({ productId }) => productId },
  decide: ({ providerId, action, provider }, product, { now, beside }): Decision<ProductRow> => {
    if (product?.providerId !== providerId) return notYours;
    const shelved = shelve(product, action, interfaceIn(beside), now);
    if (!shelved.ok) return refused(shelved.error);
    return { save: shelved.value, events: [changeOf(shelved.value, provider)], response: { status: 200, body: ownShown(shelved.value) } };
  },
});

export const offerSku = httpWrite('offer SKU', {
  of: products,
  key: (ask: Owned & { readonly skuId: SkuId; readonly onSale: boolean; readonly shop: Shop }) => ask.productId,
  beside: { of: publishedEndpoints, key: ({ productId }) => productId },
  decide: ({ providerId, skuId, onSale, shop }, product, { now, beside }) =>
    product?.providerId === providerId ? saved(offer(product, skuId, onSale, interfaceIn(beside), now), shop, 200) : notYours,
});
