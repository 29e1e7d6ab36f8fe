import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import type { Routes } from '@yunshi/http/server';
import { ProviderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { Problem } from '../problems.ts';
import { findOwnProducts, findProvider } from '../product/products.ts';
import { providerShown, WireProvider } from '../wire.ts';
import { Introduction } from './provider.ts';
import { arrangeCategory, introduceShop, operateShop } from './writes.ts';

type Parts = Pick<Core, 'sql' | 'write'>;

const { name, nameEn, about, aboutEn, phone, email, serviceHours } = Introduction.shape;
const NewShop = z
  .strictObject({
    name: name.meta({ description: 'Stays once it is set' }),
    name_en: nameEn,
    about,
    about_en: aboutEn,
    contact: z.strictObject({ phone, email, service_hours: serviceHours }),
  })
  .meta({ id: 'Shop' });

/** What a provider says of its shop. */
export const shopRoutes =
  ({ sql, write }: Parts): Routes =>
  async (app) => {
    const tags = ['provider'];
    const access = ['provider'] as const;

    app.get(
      '/v1/provider/shop',
      {
        config: { access, problems: Problem.codes('shop-not-open') },
        schema: { tags, summary: 'My shop', response: { 200: WireProvider } },
      },
      async (request) => {
        const found = await findProvider(sql, providerOf(request));
        if (!found) throw new Problem('shop-not-open');
        return providerShown(found);
      },
    );

    app.put(
      '/v1/provider/shop',
      {
        config: { access, problems: Problem.codes('shop-name-fixed') },
        schema: { tags, summary: 'Open my shop, or introduce it anew', body: NewShop, response: { 200: WireProvider } },
      },
      async (request, reply) => {
        const { name_en, about_en, contact, ...said } = request.body;
        const { phone: number, email: mail, service_hours: hours } = contact;
        const introduction = { ...said, nameEn: name_en, aboutEn: about_en, phone: number, email: mail, serviceHours: hours };
        return answer(reply, await write(introduceShop, { providerId: providerOf(request), introduction }));
      },
    );
  };

const CategoryParams = z.strictObject({ category_id: z.string().regex(/^[a-z][a-z0-9-]{1,39}$/) });
const NewCategory = z
  .strictObject({
    name: z.string().trim().min(1).max(40).meta({ description: 'Stays once it is set' }),
    name_en: z.string().trim().min(1).max(80),
    position: z.int().min(0).max(10_000).meta({ description: 'Where it stands in the list' }),
  })
  .meta({ id: 'NewCategory' });

/** How the operator arranges the catalogue. */
export const arrangingRoutes =
  ({ sql, write }: Parts): Routes =>
  async (app) => {
    const tags = ['operations'];
    const access = ['operator'] as const;

    app.put(
      '/v1/ops/categories/:category_id',
      {
        config: { access, problems: Problem.codes('category-name-fixed') },
        schema: {
          tags,
          summary: 'Add a category, or move it',
          params: CategoryParams,
          body: NewCategory,
          response: { 200: NewCategory.extend({ category_id: z.string() }).meta({ id: 'ArrangedCategory' }) },
        },
      },
      async (request, reply) => {
        const { name: called, name_en: nameEnglish, position } = request.body;
        const category = { categoryId: request.params.category_id, name: called, nameEn: nameEnglish, position };
        return answer(reply, await write(arrangeCategory, { category, actor: callerOf(request).userId }));
      },
    );

    app.put(
      '/v1/ops/providers/:provider_id/self-operated',
      {
        config: { access, problems: Problem.codes('not-found', 'shop-has-products') },
        schema: {
          tags,
          summary: 'Make a shop 自营, or no longer so',
          description: 'Before it has products.',
          params: z.strictObject({ provider_id: ProviderId }),
          body: z.strictObject({ self_operated: z.boolean(), reason: z.string().trim().min(1).max(500).optional() }),
          response: { 200: WireProvider },
        },
      },
      async (request, reply) => {
        const { provider_id: providerId } = request.params;
        const hasProducts = (await findOwnProducts(sql, { providerId, take: 1 })).length > 0;
        const { self_operated: selfOperated, reason } = request.body;
        return answer(reply, await write(operateShop, { providerId, selfOperated, hasProducts, actor: callerOf(request).userId, reason }));
      },
    );
  };
