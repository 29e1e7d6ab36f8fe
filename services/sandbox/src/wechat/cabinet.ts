import type { AnswerKey } from '@yunshi/protocols/wechat/answer-signature';
import { addCertificate, readKeys, type PlatformKeys } from './keys.ts';
import { signedByCertificate } from './order.ts';

/** How callbacks are signed: `mixed` is what a merchant meets in the week of moving from certificates to the public key. */
export type CallbackMode = 'public-key' | 'certificate' | 'mixed';

/** The payment service's keys, and which of them signs what. */
export type KeyCabinet = {
  readonly keys: () => PlatformKeys;
  /** Merchants that joined since October 2024 have no platform certificate at all. */
  readonly certificatesEnabled: () => boolean;
  /** The request's Wechatpay-Serial says which key it wants the answer signed with; without it, the certificate. */
  readonly answerKey: (wanted: string | undefined) => AnswerKey | undefined;
  readonly callbackKey: (about: string) => AnswerKey;
  readonly setMode: (mode: { certificates?: boolean | undefined; callbacks?: CallbackMode | undefined }) => void;
  readonly mode: () => { readonly certificates: boolean; readonly callbacks: CallbackMode };
  /** Adds a certificate, which signs from now on. The old one stays listed. */
  readonly rotate: (wall: Date) => Promise<void>;
};

export function openCabinet(folder: string, read: PlatformKeys): KeyCabinet {
  let keys = read;
  const mode = { certificates: false, callbacks: 'public-key' as CallbackMode };
  const newest = (): AnswerKey => keys.certificates.at(-1) ?? keys.publicKey;
  return {
    keys: () => keys,
    certificatesEnabled: () => mode.certificates,
    answerKey: (wanted) => {
      if (wanted === undefined) return mode.certificates ? newest() : keys.publicKey;
      if (wanted === keys.publicKey.serial) return keys.publicKey;
      return mode.certificates ? keys.certificates.find(({ serial }) => serial === wanted) : undefined;
    },
    callbackKey: (about) => {
      if (mode.callbacks === 'mixed') return signedByCertificate(about) ? newest() : keys.publicKey;
      return mode.callbacks === 'certificate' ? newest() : keys.publicKey;
    },
    setMode: (wanted) => {
      mode.certificates = wanted.certificates ?? mode.certificates;
      mode.callbacks = wanted.callbacks ?? mode.callbacks;
    },
    mode: () => mode,
    rotate: async (wall) => {
      await addCertificate(folder, wall);
      keys = await readKeys(folder);
    },
  };
}
