import { productChanged } from '@yunshi/contracts/catalog';
import { httpWrite, on, write, type Decision, type Handler } from '@yunshi/messaging/handle';
import type { ProductNews } from '@yunshi/service/catalogue';
import { products, skus } from './products.ts';
import type { Product } from './quote.ts';

/** Keeps the newest version of each product, in whatever order the news arrives. */
const learning = {
  of: products,
  key: ({ productId }: ProductNews) => productId,
  decide: (news: ProductNews, known: Product | undefined): Decision<Product> => {
    if (known && known.productVersion >= news.productVersion) return {};
    const { productId, productVersion, providerId, providerName, name, deliveryType, humanDelivery } = news;
    return {
      save: {
        productId,
        productVersion,
        providerId,
        providerName,
        name,
        deliveryType,
        humanDelivery,
        published: news.status === 'published',
        skus: news.skus,
      },
      writes: news.skus.map(({ skuId }) => write(skus, { skuId, productId })),
    };
  },
};

export const learnProduct: Handler = on(productChanged, learning);
/** The same at start, from the catalogue's own pages. */
export const catchUpProduct = httpWrite('catch up with a product', learning);
