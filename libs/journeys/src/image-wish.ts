import { demoProducts } from '@yunshi/contracts/demo-world';
import type { Shopper } from './shopper.ts';

export type ServerOffers = {
  images: { id: string }[];
  security_groups: { id: string }[];
  machine_types: { zone: string; machine_type: string; sold_out: boolean }[];
};

const { productId, skus } = demoProducts.hardenedLinux;

/** A month of an image on a small server, as `POST /v1/quotes` and `/v1/orders` take it, chosen from what the cloud offers now. */
export async function imageWish(shopper: Shopper) {
  const { status, body } = await shopper.get(`/v1/server-offers?product_id=${productId}&region=ap-guangzhou`);
  if (status !== 200) throw new Error(`no offers of servers: ${JSON.stringify(body)}`);
  const offers = body as ServerOffers;
  const machine = offers.machine_types.find(({ machine_type, sold_out }) => machine_type === 'S5.MEDIUM4' && !sold_out)!;
  const server = {
    region: 'ap-guangzhou',
    zone: machine.zone,
    machine_type: machine.machine_type,
    image_id: offers.images[0]!.id,
    system_disk: { type: 'CLOUD_BSSD', size_gb: 50 },
    data_disks: [{ type: 'CLOUD_SSD', size_gb: 100 }],
    bandwidth: { mbps: 5 },
    security_group_id: offers.security_groups[0]!.id,
    login: { method: 'password' },
  };
  return { wish: { sku_id: skus.monthly, duration: 1, server }, offers };
}
