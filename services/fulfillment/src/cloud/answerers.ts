import { priceServer } from '@yunshi/contracts/fulfillment';
import { answers, type Answerer } from '@yunshi/messaging/handle';
import type { InstanceBook } from '../instance/instances.ts';
import type { Asked, Shelf } from './shelf.ts';

type Parts = { readonly shelf: Shelf | undefined; readonly instances: Pick<InstanceBook, 'find'> };

export const cloudAnswerers = ({ shelf, instances }: Parts): readonly Answerer[] => [
  answers(priceServer, async ({ months, of }) => {
    if (shelf === undefined) return notOffered;
    if (of.what === 'new') return told(await shelf.price(of.productId, of.server, months));
    const instance = await instances.find(of.accountId, of.instanceId);
    if (!instance?.server || instance.signId === null) return notOffered;
    return told(await shelf.renewalPrice({ region: instance.server.configuration.region, serverId: instance.signId }, months));
  }),
];

const notOffered = { result: 'not-offered' as const };
const told = (asked: Asked) =>
  asked.result === 'priced' ? { result: 'priced' as const, ...asked.price } : { ...asked, offered: [...asked.offered] };
