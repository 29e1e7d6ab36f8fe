import { readFile } from 'node:fs/promises';
import { wallClock } from '@yunshi/kernel/clock';
import { privateKeyOf } from '@yunshi/protocols/wechat/rsa';
import type { Log } from '@yunshi/telemetry/log';
import type { Config } from '../config.ts';
import { openKeyring } from '../wechat/keyring.ts';
import { msePayBanks } from './banks.ts';
import { msePayChannel } from './channel.ts';
import { msePayClient } from './client.ts';
import { msePayStatements } from './statement.ts';

/** Reads the keys and makes the channel ready. */
export async function openMsePay(config: NonNullable<Config['msePay']>, companyOf: (payee: string) => string, log: Log) {
  const keyring = await openKeyring({ publicKey: { id: config.tbepSerial, file: config.tbepPublicKeyFile } }, wallClock);
  const privateKey = privateKeyOf(await readFile(config.privateKeyFile, 'utf8'));
  const platform = { platformId: config.platformId, serial: config.platformSerial, privateKey };
  const { baseUrl, tbepSerial, notifyBaseUrl, returnUrl } = config;
  const client = msePayClient({ baseUrl, platform, keyring, tbepSerial, wall: wallClock, log });
  return {
    channel: msePayChannel(client, { notifyBaseUrl, returnUrl, companyOf }),
    banks: msePayBanks(client, wallClock),
    keyring,
    statements: msePayStatements(client),
    stop: client.close,
  };
}
