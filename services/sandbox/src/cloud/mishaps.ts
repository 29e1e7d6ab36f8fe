import { z } from 'zod';

/** What can be made to go wrong, a number of times. */
export const Mishap = z.enum([
  /** The machine type has just been sold out, or the account has as many servers as it may. */
  'sold-out',
  'quota',
  /** A server is made, and never comes up. */
  'launch-fails',
  /** Any call that changes something: nothing was done and it says so; too many calls; carried out, but the answer never arrives. */
  'call-fails',
  'call-throttled',
  'answer-lost',
]);
export type Mishap = z.infer<typeof Mishap>;

export const mishapNames: Readonly<Record<Mishap, string>> = {
  'sold-out': '创建时机型售罄',
  quota: '创建时超出配额',
  'launch-fails': '创建后启动失败',
  'call-fails': '调用失败，什么也没做',
  'call-throttled': '调用被限流',
  'answer-lost': '调用已执行，应答丢失',
};
