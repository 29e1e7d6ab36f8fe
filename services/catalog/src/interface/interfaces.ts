import { endpointPublished } from '@yunshi/contracts/fulfillment';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { ProductId } from '@yunshi/kernel/ids';
import { on, type Handler } from '@yunshi/messaging/handle';
import type { Interface } from '../product/product.ts';
import * as tables from '../tables.ts';

export type PublishedEndpoint = typeof tables.publishedEndpoints.$inferSelect;

/** Whose interfaces have passed the online check and are published: what software needs to be put on the shelf. */
export const publishedEndpoints: Rows<ProductId, PublishedEndpoint> = rowsOf(tables.publishedEndpoints, 'productId');

export const interfaceIn = (known: PublishedEndpoint | undefined): Interface => ({
  isPublished: known !== undefined,
  isMetering: known?.isMetering ?? false,
});

export const interfaceHandlers: readonly Handler[] = [
  on(endpointPublished, {
    of: publishedEndpoints,
    key: ({ productId }) => productId,
    decide: ({ productId, endpointVersion, publishedAt, isMetering }, known) =>
      known !== undefined && known.endpointVersion >= endpointVersion
        ? {}
        : { save: { productId, endpointVersion, publishedAt: new Date(publishedAt), isMetering } },
  }),
];
