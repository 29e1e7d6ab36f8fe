import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isPublicAddress } from './destination.ts';

/** Finds the addresses of one host and of no other: public ones only, whatever its name resolves to at that moment, unless it is exempt in development. */
export const guardedLookup =
  (host: string, exempt: boolean): LookupFunction =>
  (hostname, options, callback) => {
    if (hostname !== host) return callback(new Error(`egress: ${hostname} was not approved`), '', 4);
    systemLookup(hostname, options, (error, address, family) => {
      const addresses = typeof address === 'string' ? [address] : (address as { address: string }[]).map((one) => one.address);
      const bad = error || exempt ? undefined : addresses.find((one) => !isPublicAddress(one));
      if (bad !== undefined) callback(new Error(`egress: ${hostname} resolves to ${bad}`), '', 4);
      else callback(error, address as string, family);
    });
  };
