/** Signatures of acp 5.1.0 by RSA certificates (`signMethod` 01): over the SHA-256 of the fields, written as hexadecimal digits. */
import { createHash, type KeyObject } from 'node:crypto';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { sign, signatureHolds } from '../wechat/rsa.ts';
import { ownerOf, type CertificateRefusal, type Trust } from './certificate.ts';
import { signedText, type Fields } from './message.ts';

/** What a merchant signs with. `certId` is the certificate's serial number, in decimal digits. */
export type SigningKey = { readonly certId: string; readonly privateKey: KeyObject };

const message = (fields: Fields): Buffer => Buffer.from(createHash('sha256').update(signedText(fields)).digest('hex'));
const filled = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
const withSignature = (fields: Fields, privateKey: KeyObject): Fields => ({ ...fields, signature: sign(message(fields), privateKey) });

/** A merchant's request. Empty fields are left out. */
export const signRequest = (fields: Fields, { certId, privateKey }: SigningKey): Fields =>
  withSignature(filled({ ...fields, certId, signMethod: '01' }), privateKey);

/** UnionPay's answer or notice, which carries the certificate that it is signed with. */
export const signAnswer = (fields: Fields, by: { readonly certificate: string; readonly privateKey: KeyObject }): Fields =>
  withSignature(filled({ ...fields, signMethod: '01', signPubKeyCert: by.certificate }), by.privateKey);

export type SignatureRefusal = 'unsigned' | 'wrong-signature' | CertificateRefusal;

/** UnionPay's side: whether a request is signed by the certificate that it names. */
export function verifyRequest(fields: Fields, keyOf: (certId: string) => KeyObject | undefined): Result<undefined, SignatureRefusal> {
  const { signature, certId, signMethod } = fields;
  if (signature === undefined || certId === undefined || signMethod !== '01') return no('unsigned');
  const key = keyOf(certId);
  if (!key) return no('foreign-certificate');
  return signatureHolds(message(fields), signature, key) ? ok(undefined) : no('wrong-signature');
}

/** Whether an answer or a notice comes from UnionPay: its certificate is UnionPay's, and good now, and has signed all that is said. */
export function verifyAnswer(fields: Fields, trust: Trust, wallMs: number): Result<undefined, SignatureRefusal> {
  const { signature, signPubKeyCert, signMethod } = fields;
  if (signature === undefined || signPubKeyCert === undefined || signMethod !== '01') return no('unsigned');
  const owner = ownerOf(signPubKeyCert, trust, wallMs);
  if (!owner.ok) return owner;
  return signatureHolds(message(fields), signature, owner.value) ? ok(undefined) : no('wrong-signature');
}
