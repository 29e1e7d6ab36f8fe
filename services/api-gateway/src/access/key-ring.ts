import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Sql } from '@yunshi/db/connect';
import type { AccountId, InstanceId, ProductId } from '@yunshi/kernel/ids';
import type { Vault } from '@yunshi/service/vault';
import { keyPolicy } from '../policy.ts';

/** What has to be known of a key pair to let a call through. */
export type KnownKey = {
  readonly secretId: string;
  readonly key: KeyObject;
  readonly isActive: boolean;
  readonly validUntilMs: number;
  readonly instanceId: InstanceId;
  readonly accountId: AccountId;
  readonly productId: ProductId;
  readonly isUsable: boolean;
  readonly expiresAtMs: number;
};

type Row = {
  secretId: string;
  secretKey: string | null;
  status: 'active' | 'disabled';
  validUntil: Date | null;
  instanceId: InstanceId;
  accountId: AccountId;
  productId: ProductId;
  isUsable: boolean;
  expiresAt: Date | null;
};
/** `known` is undefined where nobody has such a key. */
type Slot = { known: KnownKey | undefined; sealed: string | null; atMs: number };

export type KeyRing = ReturnType<typeof keyRing>;

/**
 * Keys in memory, believed for half a second: then they are read again, those of many callers by one statement. So a key that was disabled
 * stops working in every process within a second, and one that cannot be read again is not believed either.
 */
export function keyRing({ sql, vault, nowMs }: { readonly sql: Sql; readonly vault: Pick<Vault, 'open'>; readonly nowMs: () => number }) {
  const slots = new Map<string, Slot>();
  let wanted = new Set<string>();
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    // One turn of the loop, so that those who ask at the same time are read together.
    await new Promise(setImmediate);
    const ids = [...wanted];
    wanted = new Set();
    reading = undefined;
    const rows = await sql<Row[]>`
      select k.secret_id as "secretId", k.secret_key as "secretKey", k.status, k.valid_until as "validUntil", k.instance_id as "instanceId",
        a.account_id as "accountId", a.product_id as "productId", a.is_usable as "isUsable", a.expires_at as "expiresAt"
      from api_keys k join accesses a using (instance_id) where k.secret_id = any(${ids}::text[])`;
    const found = new Map(rows.map((row) => [row.secretId, row]));
    const atMs = nowMs();
    for (const id of ids) put(id, found.get(id), atMs);
  }

  function put(id: string, row: Row | undefined, atMs: number): void {
    const before = slots.get(id);
    slots.delete(id);
    const sealed = row?.secretKey ?? null;
    const key = sealed !== null && sealed === before?.sealed ? before.known?.key : keyOf(id, sealed);
    slots.set(id, { sealed, atMs, known: row === undefined || key === undefined ? undefined : knownOf(row, key) });
    if (slots.size > keyPolicy.entriesMax) {
      const [oldest] = slots.keys();
      if (oldest !== undefined) slots.delete(oldest);
    }
  }

  const keyOf = (id: string, sealed: string | null): KeyObject | undefined =>
    sealed === null ? undefined : createSecretKey(Buffer.from(vault.open(sealed, `api_keys.secret_key ${id}`), 'utf8'));

  const knownOf = ({ secretId, status, validUntil, expiresAt, instanceId, accountId, productId, isUsable }: Row, key: KeyObject) => ({
    secretId,
    key,
    isActive: status === 'active',
    validUntilMs: validUntil?.getTime() ?? Infinity,
    instanceId,
    accountId,
    productId,
    isUsable,
    expiresAtMs: expiresAt?.getTime() ?? Infinity,
  });

  function ask(id: string): Promise<void> {
    wanted.add(id);
    reading ??= read();
    return reading;
  }

  return {
    /** The key, at once where it is known; undefined where there is none. */
    find(id: string): KnownKey | undefined | Promise<KnownKey | undefined> {
      const slot = slots.get(id);
      const ageMs = slot === undefined ? Infinity : nowMs() - slot.atMs;
      if (slot !== undefined && ageMs <= keyPolicy.believedMs) {
        // Read again ahead of time, so that nobody who calls all the time waits for it. A failure shows when it is no longer believed.
        if (ageMs > keyPolicy.freshMs && !wanted.has(id)) ask(id).catch(() => undefined);
        return slot.known;
      }
      return ask(id).then(() => slots.get(id)?.known);
    },
  };
}
