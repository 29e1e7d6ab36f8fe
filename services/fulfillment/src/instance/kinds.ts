import type { DeliveryType } from '@yunshi/kernel/marketplace';
import { serverPolicy } from '../cloud/policy.ts';
import type { Instance, Refusal, Task } from './instance.ts';
import { deliveryPolicy, type BackOff } from './policy.ts';

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
  readonly patience: Patience;
};

/** For how long, and how often, whoever is to deliver is asked. */
export type Patience = {
  /** From the first «later», and of an unbroken run of failures; what the order is then refused with. */
  readonly pendingMsMax: number;
  readonly failingMsMax: number;
  readonly refusals: { readonly pending: Refusal; readonly failing: Refusal };
  /** That it has expired, or is to be reclaimed. */
  readonly tellingMsMax: number;
  readonly backOff: BackOff;
  readonly pendingBackOff: BackOff;
};

const withProviders: Patience = {
  ...deliveryPolicy,
  refusals: { pending: 'provider-never-delivered', failing: 'provider-failed' },
};
const withTheCloud: Patience = {
  pendingMsMax: serverPolicy.makingMsMax,
  failingMsMax: serverPolicy.failingMsMax,
  refusals: { pending: 'server-not-made', failing: 'server-not-made' },
  tellingMsMax: serverPolicy.releasingMsMax,
  backOff: serverPolicy.backOff,
  pendingBackOff: serverPolicy.makingBackOff,
};

const knownToItsProvider = ({ signId }: Instance): boolean => signId !== null;

export const kinds: Readonly<Record<KindName, Kind>> = {
  /** The provider's endpoint is called; what it never named a signId for it cannot be told about. */
  saas: {
    isDeliverable: true,
    begins: 'asked',
    asks: knownToItsProvider,
    isRenewable: knownToItsProvider,
    isResendable: true,
    patience: withProviders,
  },
  /** Keys are issued by ourselves, and nobody is told. A renewal tops up its calls. */
  api: { isDeliverable: true, begins: 'asked', asks: () => false, isRenewable: () => true, isResendable: false, patience: withProviders },
  /**
   * The cloud makes a server from it. It can go on only while it is in use 使用中: once it has expired, the cloud may give its machine away
   * any moment.
   */
  image: {
    isDeliverable: true,
    begins: 'asked',
    asks: ({ signId, mayExist }, task) => signId !== null || (task === 'destroy' && mayExist),
    isRenewable: ({ signId, status }) => signId !== null && status === 'shipped',
    isResendable: false,
    patience: withTheCloud,
  },
  /** People do it, and people are told by the events. */
  human_service: {
    isDeliverable: true,
    begins: 'case',
    asks: () => false,
    isRenewable: () => true,
    isResendable: false,
    patience: withProviders,
  },
};

export const kindNameOf = ({ deliveryType, humanDelivery }: Pick<Instance, 'deliveryType' | 'humanDelivery'>): KindName =>
  humanDelivery ? 'human_service' : deliveryType;

export const kindOf = (instance: Pick<Instance, 'deliveryType' | 'humanDelivery'>): Kind => kinds[kindNameOf(instance)];
