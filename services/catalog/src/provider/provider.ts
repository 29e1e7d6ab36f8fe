import { z } from 'zod';
import type { ProviderId } from '@yunshi/kernel/ids';
import { no, ok, type Result } from '@yunshi/kernel/result';

/** How a shop introduces itself to buyers. */
export const Introduction = z.object({
  name: z.string().trim().min(2).max(40),
  nameEn: z.string().trim().min(2).max(80),
  about: z.string().trim().min(1).max(1_000),
  aboutEn: z.string().trim().min(1).max(2_000),
  phone: z.string().trim().min(5).max(40),
  email: z.email().max(200),
  serviceHours: z.string().trim().min(1).max(100),
});
export type Introduction = z.infer<typeof Introduction>;

export type Provider = Introduction & {
  readonly providerId: ProviderId;
  /** 自营: the operator's own staff serves its buyers. */
  readonly selfOperated: boolean;
  readonly joinedAt: Date;
};

/** Opens the shop, or changes what it says of itself. Its name stays, because products, orders and invoices are known by it. */
export function introduce(
  before: Provider | undefined,
  providerId: ProviderId,
  introduction: Introduction,
  now: Date,
): Result<Provider, 'name-fixed'> {
  if (before && before.name !== introduction.name) return no('name-fixed');
  return ok({ selfOperated: false, joinedAt: now, ...before, ...introduction, providerId });
}

/** Makes a shop 自营, or no longer so. Only while it has no products: others know by them whose it is. */
export function operateSelf(
  provider: Provider | undefined,
  { selfOperated, hasProducts }: { readonly selfOperated: boolean; readonly hasProducts: boolean },
): Result<Provider, 'not-found' | 'has-products'> {
  if (!provider) return no('not-found');
  return hasProducts ? no('has-products') : ok({ ...provider, selfOperated });
}

export type Category = { readonly categoryId: string; readonly name: string; readonly nameEn: string; readonly position: number };

/** Adds a category, or moves it in the list. Its name stays, because products are found by it. */
export function arrange(before: Category | undefined, category: Category): Result<Category, 'name-fixed'> {
  return before && before.name !== category.name ? no('name-fixed') : ok(category);
}
