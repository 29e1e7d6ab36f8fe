import { FlowUnit } from '@yunshi/kernel/marketplace';

/** What a played provider knows of units. Minutes and hours are one kind, Mb and Gb the other. */

const sizes: Readonly<Record<FlowUnit, { readonly kind: 'time' | 'volume'; readonly of: number }>> = {
  m: { kind: 'time', of: 1 },
  h: { kind: 'time', of: 60 },
  Mb: { kind: 'volume', of: 1 },
  Gb: { kind: 'volume', of: 1_024 },
};

/** The amount in another unit; undefined where it is none, or of the other kind. */
export function converted(amount: string, from: string, to: string): number | undefined {
  const [given, wanted] = [FlowUnit.safeParse(from), FlowUnit.safeParse(to)];
  const value = Number(amount);
  if (!given.success || !wanted.success || !Number.isFinite(value) || value < 0) return undefined;
  const [one, other] = [sizes[given.data], sizes[wanted.data]];
  return one.kind === other.kind ? (value * one.of) / other.of : undefined;
}
