import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '@yunshi/kernel/clock';
import { publicKeyOf, type KeyOfSerial } from '@yunshi/protocols/wechat/rsa';
import { z } from 'zod';

/** Where WeChat Pay's public keys come from. Both kinds may be given at once, as a merchant needs who moves from one to the other. */
export type KeySources = {
  /** Public-key mode: downloaded by hand from the merchant console. */
  readonly publicKey?: { readonly id: string; readonly file: string } | undefined;
  /** A JSON file, `{ "<serial>": "<PEM of a key or certificate>" }`. It may change while we run. */
  readonly keysFile?: string | undefined;
};

export type Keyring = {
  readonly keyOf: KeyOfSerial;
  /** What to seal fields with: the public key, or else the certificate that came last. Undefined before any is known. */
  readonly newest: () => string | undefined;
  /** Remembers a certificate that WeChat Pay gave out. Keys are only ever added: an old one stays good for what it signed. */
  readonly add: (serial: string, pem: string) => void;
  /** Reads the files again. Asked more often than once a minute, it does nothing: anybody can send an unknown serial. */
  readonly refresh: () => Promise<void>;
  /** What else to ask on a refresh. */
  readonly onRefresh: (ask: () => Promise<void>) => void;
};

const REFRESH_MS_MIN = 60_000;
const KeysFile = z.record(z.string(), z.string());

export async function openKeyring({ publicKey, keysFile }: KeySources, wall: Clock): Promise<Keyring> {
  const keys = new Map<string, KeyObject>();
  const others: (() => Promise<void>)[] = [];
  let refreshedAt = 0;
  const read = async (): Promise<void> => {
    if (publicKey) keys.set(publicKey.id, publicKeyOf(await readFile(publicKey.file, 'utf8')));
    if (keysFile === undefined) return;
    const listed = KeysFile.parse(JSON.parse(await readFile(keysFile, 'utf8')));
    for (const [serial, pem] of Object.entries(listed)) keys.set(serial, publicKeyOf(pem));
  };
  await read();
  return {
    keyOf: (serial) => keys.get(serial),
    newest: () => publicKey?.id ?? [...keys.keys()].at(-1),
    add: (serial, pem) => void keys.set(serial, publicKeyOf(pem)),
    refresh: async () => {
      const now = wall.now().getTime();
      if (now - refreshedAt < REFRESH_MS_MIN) return;
      refreshedAt = now;
      await read();
      for (const ask of others) await ask();
    },
    onRefresh: (ask) => void others.push(ask),
  };
}
