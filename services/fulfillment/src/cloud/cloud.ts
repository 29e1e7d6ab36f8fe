import type { ServerConfiguration } from '@yunshi/kernel/server';
import type { Fen } from '@yunshi/kernel/money';

/** The port to a cloud that rents servers. Nothing that the cloud does makes it throw. */
export type Cloud = {
  readonly regions: (signal?: AbortSignal) => Promise<Heard<readonly Named[]>>;
  /** The machine types of each zone of a region, sold out or not. */
  readonly machines: (region: string, signal?: AbortSignal) => Promise<Heard<readonly Machine[]>>;
  readonly zones: (region: string, signal?: AbortSignal) => Promise<Heard<readonly Named[]>>;
  /** The images that the provider of a product has shared for it: those that are tagged with it. */
  readonly images: (region: string, productId: string, signal?: AbortSignal) => Promise<Heard<readonly Named[]>>;
  readonly securityGroups: (region: string, signal?: AbortSignal) => Promise<Heard<readonly Named[]>>;
  readonly price: (configuration: ServerConfiguration, months: number, signal?: AbortSignal) => Promise<Heard<Price>>;
  readonly renewalPrice: (server: Rented, months: number, signal?: AbortSignal) => Promise<Heard<Price>>;

  /** Of one server by its id or, before the cloud has said one, all that were made for an instance. */
  readonly find: (of: Sought, signal?: AbortSignal) => Promise<Heard<readonly Seen[]>>;
  /** Made once for each instance, however often it is asked. */
  readonly create: (making: Making, signal?: AbortSignal) => Promise<Heard<{ readonly serverId: string }>>;
  readonly start: (server: Rented, signal?: AbortSignal) => Promise<Heard<object>>;
  readonly stop: (server: Rented, signal?: AbortSignal) => Promise<Heard<object>>;
  readonly reinstall: (server: Rented, to: Reinstall, signal?: AbortSignal) => Promise<Heard<object>>;
  readonly renew: (server: Rented, months: number, signal?: AbortSignal) => Promise<Heard<object>>;
  /** The first time it goes into the recycle bin 回收站, the second time it is gone. */
  readonly release: (server: Rented, signal?: AbortSignal) => Promise<Heard<object>>;
};

/** What came of a call. Of a failed one nothing is known, unless it was never sent. */
export type Heard<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'failed'; readonly sent: boolean; readonly why: string };

export type Named = { readonly id: string; readonly name: string };
export type Machine = {
  readonly zone: string;
  readonly type: string;
  readonly family: string;
  readonly cpu: number;
  readonly memoryGb: number;
  readonly isSoldOut: boolean;
  /** For a month, without disks and bandwidth. */
  readonly price: Fen;
};
export type Price = { readonly machine: Fen; readonly bandwidth: Fen };

export type Rented = { readonly region: string; readonly serverId: string };
export type Sought = { readonly region: string; readonly instanceId: string; readonly serverId?: string | undefined };

/** A server as the cloud shows it. */
export type Seen = {
  readonly serverId: string;
  /** `changing`: on its way from one to another. `failed`: it never came up. `returned`: in the recycle bin. */
  readonly state: 'pending' | 'running' | 'stopped' | 'changing' | 'failed' | 'returned';
  readonly hostName: string;
  readonly imageId: string;
  readonly privateIp: string | null;
  readonly publicIp: string | null;
  readonly user: string;
  readonly expiresAt: Date | null;
};

export type Making = {
  readonly instanceId: string;
  readonly configuration: ServerConfiguration;
  readonly months: number;
  readonly password: string;
};
export type Reinstall = {
  readonly imageId: string;
  readonly login: ServerConfiguration['login'];
  readonly password: string;
  /** By which it is seen that this very reinstallation was done. */
  readonly hostName: string;
};

/** Where no cloud is configured. */
export function noCloud(): Cloud {
  const failed = (): Promise<Heard<never>> => Promise.resolve({ kind: 'failed', sent: false, why: 'no cloud is configured' });
  return {
    regions: failed,
    machines: failed,
    zones: failed,
    images: failed,
    securityGroups: failed,
    price: failed,
    renewalPrice: failed,
    find: failed,
    create: failed,
    start: failed,
    stop: failed,
    reinstall: failed,
    renew: failed,
    release: failed,
  };
}
