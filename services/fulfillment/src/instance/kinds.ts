import type { DeliveryType } from '@yunshi/kernel/marketplace';
import type { Instance, Task } from './instance.ts';

/*
 * What differs between the kinds of delivery. The states of an instance, its deadlines, its renewals and its answers to the saga are the same
 * for all; a kind says whom they concern. What is really sent is in `intents.ts`, what the buyer reads of it in `service-information.ts`.
 */

/** An instance is of its product's delivery type, except that people deliver whatever needs human delivery. */
export type KindName = DeliveryType;

export type Kind = {
  /** Whether a paid order of it can be delivered at all. */
  readonly isDeliverable: boolean;
  /** `asked`: somebody is asked to make it (task `create`). `case`: people make it, and their delivery case 交付单 says when. */
  readonly begins: 'asked' | 'case';
  /** Whether there is somebody to be asked for the task. If not it happens in our own books alone: a renewal at once, an expiry untold. */
  readonly asks: (instance: Instance, task: Exclude<Task, 'create'>) => boolean;
  /** Whether it can go on, beside what all kinds need: that it is there, has an end, and that nothing else renews it. */
  readonly isRenewable: (instance: Instance) => boolean;
  /** Whether a person may have a call made again. */
  readonly isResendable: boolean;
};

const knownToItsProvider = ({ signId }: Instance): boolean => signId !== null;

export const kinds: Readonly<Record<KindName, Kind>> = {
  /** The provider's endpoint is called; what it never named a signId for it cannot be told about. */
  saas: { isDeliverable: true, begins: 'asked', asks: knownToItsProvider, isRenewable: knownToItsProvider, isResendable: true },
  /** Keys are issued by ourselves, and nobody is told. */
  api: { isDeliverable: true, begins: 'asked', asks: () => false, isRenewable: () => false, isResendable: false },
  /** No cloud makes servers yet. */
  image: { isDeliverable: false, begins: 'asked', asks: () => false, isRenewable: () => false, isResendable: false },
  /** People do it, and people are told by the events. */
  human_service: { isDeliverable: true, begins: 'case', asks: () => false, isRenewable: () => true, isResendable: false },
};

export const kindNameOf = ({ deliveryType, humanDelivery }: Pick<Instance, 'deliveryType' | 'humanDelivery'>): KindName =>
  humanDelivery ? 'human_service' : deliveryType;

export const kindOf = (instance: Pick<Instance, 'deliveryType' | 'humanDelivery'>): Kind => kinds[kindNameOf(instance)];
