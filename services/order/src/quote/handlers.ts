import { productChanged } from '@yunshi/contracts/catalog';
import { on, write, type Handler } from '@yunshi/messaging/handle';
import { products, skus } from './products.ts';

/** Keeps the newest version of each product, in whatever order the news arrives. */
export const learnProduct: Handler = on(productChanged, {
  of: products,
  key: ({ productId }) => productId,
  decide: (news, known) => {
    if (known && known.productVersion >= news.productVersion) return {};
    const { productId, productVersion, providerId, providerName, name, deliveryType } = news;
    return {
      save: {
        productId,
        productVersion,
        providerId,
        providerName,
        name,
        deliveryType,
        published: news.status === 'published',
        skus: news.skus,
      },
      writes: news.skus.map(({ skuId }) => write(skus, { skuId, productId })),
    };
  },
});
