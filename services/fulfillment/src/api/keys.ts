import type { Vault } from '@yunshi/service/vault';
import { boundTo } from '../bound-to.ts';
import type { DrawnKey } from './access.ts';

export type KeyDrawing = {
  readonly vault: Pick<Vault, 'seal'>;
  /** `bytes` of randomness as lower-case hexadecimal digits. */
  readonly randomHex: (bytes: number) => string;
};

/** A new pair; its secret key is sealed before it gets anywhere. */
export function drawKey({ vault, randomHex }: KeyDrawing): DrawnKey {
  const secretId = `YSID${randomHex(16)}`;
  return { secretId, secretKey: vault.seal(randomHex(24), boundTo.secretKey(secretId)) };
}
