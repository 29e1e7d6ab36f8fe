import type { ProviderId, UserId } from '@yunshi/kernel/ids';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite, type Decision } from '@yunshi/messaging/handle';
import { Problem } from '../problems.ts';
import { categories, providers, type Category, type Provider } from '../product/products.ts';
import { providerShown } from '../wire.ts';
import { arrange, introduce, operateSelf, type Introduction } from './provider.ts';

export const introduceShop = httpWrite('introduce shop', {
  of: providers,
  key: (ask: { readonly providerId: ProviderId; readonly introduction: Introduction }) => ask.providerId,
  decide: ({ providerId, introduction }, before, { now }): Decision<Provider> => {
    const introduced = introduce(before, providerId, introduction, now);
    if (!introduced.ok) return { response: Problem.response('shop-name-fixed', { detail: `The shop is called ${before?.name}.` }) };
    return { save: introduced.value, response: { status: 200, body: providerShown(introduced.value) } };
  },
});

type Operating = {
  readonly providerId: ProviderId;
  readonly selfOperated: boolean;
  readonly hasProducts: boolean;
  readonly actor: UserId;
  readonly reason: string | undefined;
};

export const operateShop = httpWrite('operate shop', {
  of: providers,
  key: ({ providerId }: Operating) => providerId,
  decide: ({ actor, reason, ...how }, before): Decision<Provider> => {
    const operated = operateSelf(before, how);
    if (!operated.ok) return { response: Problem.response(operated.error === 'not-found' ? 'not-found' : 'shop-has-products') };
    const act = { actor, reason, action: `shop.self-operated.${how.selfOperated ? 'on' : 'off'}`, object: `provider:${how.providerId}` };
    return { save: operated.value, writes: [audited(act)], response: { status: 200, body: providerShown(operated.value) } };
  },
});

export const arrangeCategory = httpWrite('arrange category', {
  of: categories,
  key: (ask: { readonly category: Category; readonly actor: UserId }) => ask.category.categoryId,
  decide: ({ category, actor }, before): Decision<Category> => {
    const arranged = arrange(before, category);
    if (!arranged.ok) return { response: Problem.response('category-name-fixed', { detail: `It is called ${before?.name}.` }) };
    const { categoryId, name, nameEn, position } = arranged.value;
    return {
      save: arranged.value,
      writes: [audited({ actor, reason: undefined, action: 'category.arrange', object: `category:${categoryId}` })],
      response: { status: 200, body: { category_id: categoryId, name, name_en: nameEn, position } },
    };
  },
});
