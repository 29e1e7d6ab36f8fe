import { productChanged } from '@yunshi/contracts/catalog';
import { rowsOf } from '@yunshi/db/rows';
import { on } from '@yunshi/messaging/handle';
import type { Handler } from '@yunshi/messaging/handle';
import { products } from '../tables.ts';
import { newest } from './product.ts';

export const productRows = rowsOf(products, 'productId');

export const productHandlers: readonly Handler[] = [
  on(productChanged, {
    of: productRows,
    key: ({ productId }) => productId,
    decide: ({ productId, productVersion, providerId, providerName, name, deliveryType, humanDelivery, skus }, known) => {
      const told = newest(known, { productId, productVersion, providerId, providerName, name, deliveryType, humanDelivery, skus });
      return told === undefined ? {} : { save: { ...told, skus: told.skus } };
    },
  }),
];
