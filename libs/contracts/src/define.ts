import { z } from 'zod';

/** One message as it stands in an outbox row: what is said, without the envelope. */
export type Message<T extends string = string, D = unknown> = {
  readonly type: T;
  readonly version: number;
  readonly subject: string;
  readonly data: D;
};

type Shapes = Readonly<Record<string, z.ZodType>>;

/** A typed answer to a command, made by `command.replies.<name>(…)` of the bound contract. */
export type Reply<K extends string = string, D = unknown> = { readonly reply: K; readonly data: D };

/** A request to one service to do one thing; answered by exactly one of the declared replies. */
export type Command<T extends string = string, D extends z.ZodType = z.ZodType, R extends Shapes = Shapes> = {
  (data: z.input<D>): Message<T, z.output<D>>;
  readonly kind: 'command';
  readonly type: T;
  readonly version: number;
  readonly subject: string;
  /** The owning service, the first word of the type. */
  readonly service: string;
  readonly data: D;
  readonly replies: R;
  /** One constructor a reply: `reserveCoupon.reply.refused({ reason: 'expired' })`. */
  readonly reply: { readonly [K in keyof R & string]: (data: z.input<R[K]>) => Reply<K, z.output<R[K]>> };
};

/** Something that has happened, told to whoever listens. */
export type Event<T extends string = string, D extends z.ZodType = z.ZodType> = {
  (data: z.input<D>): Message<T, z.output<D>>;
  readonly kind: 'event';
  readonly type: T;
  readonly version: number;
  readonly subject: string;
  readonly service: string;
  readonly data: D;
};

/** A question to one service, answered at once and changing nothing (NATS request–reply). */
export type Query<T extends string = string, D extends z.ZodType = z.ZodType, A extends z.ZodType = z.ZodType> = {
  readonly kind: 'query';
  readonly type: T;
  readonly version: number;
  readonly subject: string;
  readonly service: string;
  readonly data: D;
  readonly answer: A;
};

type Named = { readonly kind: string; readonly type: string; readonly version: number };
const declared = new Map<string, Named>();

function declare<N extends Named>(contract: N): N {
  const key = `${contract.kind} ${contract.type} v${contract.version}`;
  if (declared.has(key)) throw new Error(`${key} is declared twice; the owner of a message declares it once`);
  declared.set(key, contract);
  return contract;
}

/** Every contract declared by the modules imported so far, for generated documents and checks. */
export const declaredContracts = (): readonly (Command | Event | Query)[] => [...declared.values()] as (Command | Event | Query)[];

const owner = (type: string): string => type.slice(0, type.indexOf('.'));

/** Declares a command of `<service>.<name>`. Its data and every answer it can get are part of the contract. */
export function command<const T extends `${string}.${string}`, D extends z.ZodType, const R extends Shapes>(
  type: T,
  version: number,
  spec: { readonly data: D; readonly replies: R },
): Command<T, D, R> {
  const subject = `cmd.${type}.v${version}`;
  const reply = Object.fromEntries(
    Object.entries(spec.replies).map(([name, shape]) => [name, (data: unknown) => ({ reply: name, data: shape.parse(data) })]),
  );
  const create = (data: z.input<D>) => ({ type, version, subject, data: spec.data.parse(data) });
  return declare(
    Object.assign(create, { kind: 'command', type, version, subject, service: owner(type), ...spec, reply }) as unknown as Command<T, D, R>,
  );
}

/** Declares an event of `<service>.<name>`. */
export function event<const T extends `${string}.${string}`, D extends z.ZodType>(
  type: T,
  version: number,
  spec: { readonly data: D },
): Event<T, D> {
  const subject = `evt.${type}.v${version}`;
  const create = (data: z.input<D>) => ({ type, version, subject, data: spec.data.parse(data) });
  return declare(Object.assign(create, { kind: 'event', type, version, subject, service: owner(type), ...spec }) as unknown as Event<T, D>);
}

/** Declares a query of `<service>.<name>`. */
export function query<const T extends `${string}.${string}`, D extends z.ZodType, A extends z.ZodType>(
  type: T,
  version: number,
  spec: { readonly data: D; readonly answer: A },
): Query<T, D, A> {
  return declare({ kind: 'query', type, version, subject: `qry.${type}.v${version}`, service: owner(type), ...spec } as const);
}
