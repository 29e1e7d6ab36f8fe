import { fileURLToPath } from 'node:url';
import { jwtAuth, type Auth } from '@yunshi/http/auth';
import { httpServer, type Routes } from '@yunshi/http/server';
import { wallClock } from '@yunshi/kernel/clock';
import { newId } from '@yunshi/kernel/ids';
import { startCore, type Core, type Parts } from '@yunshi/messaging/core';
import type { Handler } from '@yunshi/messaging/handle';
import { Problem as OperationProblem } from '@yunshi/operations/problems';
import { operationRoutes } from '@yunshi/operations/routes';
import { readiness } from '@yunshi/service/readiness';
import { vault, type Vault } from '@yunshi/service/vault';
import { createLog, type Log } from '@yunshi/telemetry/log';
import { observeLedger, observeOpenDifferences } from '@yunshi/telemetry/metrics';
import { abnormalPerformers } from './abnormal/calls.ts';
import { abnormalRoutes } from './abnormal/routes.ts';
import { abnormalHandlers } from './abnormal/writes.ts';
import type { Config } from './config.ts';
import { ledgerBook } from './ledger/balances.ts';
import { closeNow, closingHandlers } from './ledger/closing.ts';
import { ledgerLines } from './ledger/lines.ts';
import { ledgerRoutes } from './ledger/routes.ts';
import { openMerchants, seedMerchants } from './merchants.ts';
import type { Channel } from '@yunshi/contracts/payment';
import type { Channels } from './payment/channel.ts';
import { paymentHandlers, performers } from './payment/handlers.ts';
import { operatorRoutes } from './payment/operator-routes.ts';
import { paymentBook } from './payment/payments.ts';
import { paymentRoutes } from './payment/routes.ts';
import { paymentWrites } from './payment/writes.ts';
import { Problem } from './problems.ts';
import { reconciliationBook } from './reconciliation/book.ts';
import { statementPerformer } from './reconciliation/calls.ts';
import { reconciliationHandlers, scheduleReconciliations } from './reconciliation/handlers.ts';
import { reconciliationRoutes } from './reconciliation/routes.ts';
import type { StatementSource } from './reconciliation/statement.ts';
import { revocationRoutes } from './revocation/routes.ts';
import { settlementRoutes } from './settlement/routes.ts';
import { providerStatements } from './settlement/statements.ts';
import { sharingPerformers } from './sharing/calls.ts';
import { resealAccounts } from './wallet/bank-accounts.ts';
import { seedWallets } from './wallet/demo.ts';
import { walletHandlers, walletPerformers, walletWrites } from './wallet/handlers.ts';
import { treasury } from './wallet/payouts.ts';
import { walletRoutes } from './wallet/routes.ts';
import { walletBook } from './wallet/wallets.ts';
import { msePayCallbackRoutes } from './mse-pay/callbacks.ts';
import { openMsePay } from './mse-pay/open.ts';
import { openUnionpay } from './unionpay/open.ts';
import { wechatAbnormal } from './wechat/abnormal.ts';
import { wechatBills } from './wechat/bills.ts';
import { wechatCallbackRoutes } from './wechat/callbacks.ts';
import { wechatChannel } from './wechat/channel.ts';
import type { Us } from './wechat/requests.ts';
import { wechatClient } from './wechat/client.ts';
import { openKeyring } from './wechat/keyring.ts';
import { openSecrets } from './wechat/secrets.ts';
import { wechatSharing } from './wechat/sharing.ts';
import { wechatStatements } from './wechat/statement.ts';
import { wechatPay } from './wechat/wechat-pay.ts';
import { wechatWithdrawals } from './wechat/withdrawals.ts';
import { withdrawalPerformers } from './withdrawal/calls.ts';
import { hearer, withdrawalHandlers } from './withdrawal/handlers.ts';
import { purseBook } from './withdrawal/purses.ts';
import { withdrawalRoutes } from './withdrawal/routes.ts';

export type Running = { readonly url: string; readonly core: Core; readonly stop: () => Promise<void> };

const CERTIFICATES_EVERY_MS = 12 * 3_600_000;

/** Collects buyers' money through the channels, keeps it safe, and gives back what cannot be kept. */
export async function start(config: Config, given: { readonly log?: Log; readonly auth?: Auth } = {}): Promise<Running> {
  const log = given.log ?? createLog({ service: 'payment-gateway', level: config.logLevel });
  const secrets = vault(config.encryptionKeys);
  const us = { mchid: config.wechat.mchid, appid: config.wechat.appid, notifyBaseUrl: config.wechat.notifyBaseUrl };
  const wechat = await openWechat(config.wechat, log);
  let companyOf = (_payee: string): string => '';
  const bank = config.msePay && (await openMsePay(config.msePay, (payee) => companyOf(payee), log));
  const unionpay = config.unionpay && (await openUnionpay(config.unionpay, log, (channel) => payeesAt(channel)));
  const sourcesOf = (parts: Parts) => [
    wechatStatements(wechat.bills),
    ...(bank ? [bank.statements] : []),
    ...(unionpay ? [unionpay.statements(parts)] : []),
  ];
  const channelsOf = (parts: Parts): Channels => ({
    wechat_native: wechatChannel(wechat.wechat, us),
    ...(bank && { corporate_bank: bank.channel }),
    ...(unionpay && { unionpay_b2b: unionpay.channel(parts) }),
  });
  let payeesOf: Parameters<typeof paymentHandlers>[0]['payeesOf'] = () => ({});
  let payeesAt = (_channel: Channel): readonly string[] => [];

  const core = await startCore({
    service: 'payment',
    databaseUrl: config.databaseUrl,
    natsUrl: config.natsUrl,
    testClock: config.testClock,
    migrations: fileURLToPath(new URL('../migrations', import.meta.url)),
    handlers: () => handlersOf((providerId) => payeesOf(providerId)),
    performers: (parts) => [
      ...performers(channelsOf(parts)),
      ...sharingPerformers(us, wechat.sharing),
      ...abnormalPerformers(wechat.abnormal),
      ...withdrawalPerformers(wechat.withdrawals),
      statementPerformer({ sources: sourcesOf(parts), book: reconciliationBook(parts.sql) }),
      ...walletPerformers(config.treasury && treasury(config.treasury)),
    ],
    onFault: (what, error) => log.error({ err: error }, what),
  });
  await resealAccounts(core.sql, secrets);
  if (config.seed) await seedMerchants(core.sql);
  const [sources, inService] = [sourcesOf(core), Object.keys(channelsOf(core)) as Channel[]];
  const merchants = await openMerchants(core.sql, inService, (error) => log.error({ err: error }, 'merchants'));
  ({ payeesOf, payeesAt, companyOf } = merchants);

  const [ledger, differences] = [ledgerBook(core.sql), reconciliationBook(core.sql)];
  const server = await httpServer({
    name: 'payment-gateway',
    logger: log,
    auth: given.auth ?? jwtAuth(config.auth),
    problems: { ...Problem.entries, ...OperationProblem.entries },
    ready: readiness(core),
    routes: routesOf({ core, config, secrets, us, wechat, bank, unionpay, sources, companyOf, ledger, differences }),
  });
  await core.run();
  await core.write(closeNow, {});
  await scheduleReconciliations(core, sources);
  if (config.seed) await seedWallets(core, secrets);
  const unobserved = [observeLedger(async () => Math.abs((await ledger.check()).sum)), observeOpenDifferences(differences.open)];
  const url = await server.listen(config);
  log.info({ url }, 'ready');
  return {
    url,
    core,
    stop: async () => {
      for (const unobserve of unobserved) unobserve();
      await server.stop();
      merchants.stop();
      await core.stop();
      await wechat.stop();
      await bank?.stop();
      await unionpay?.stop();
    },
  };
}

type Served = {
  readonly core: Core;
  readonly config: Config;
  readonly secrets: Vault;
  readonly us: Us;
  readonly wechat: Awaited<ReturnType<typeof openWechat>>;
  readonly bank: Awaited<ReturnType<typeof openMsePay>> | undefined;
  readonly unionpay: Awaited<ReturnType<typeof openUnionpay>> | undefined;
  readonly sources: readonly StatementSource[];
  readonly companyOf: (payee: string) => string;
  readonly ledger: ReturnType<typeof ledgerBook>;
  readonly differences: ReturnType<typeof reconciliationBook>;
};

function routesOf({
  core,
  config,
  secrets,
  us,
  wechat,
  bank,
  unionpay,
  sources,
  companyOf,
  ledger,
  differences,
}: Served): readonly Routes[] {
  const [book, writes, purses] = [paymentBook(core.sql), paymentWrites, purseBook(core.sql)];
  return [
    paymentRoutes({ core, book, writes, payPageOf: payPage(config.wechat.payPageUrl), banks: bank?.banks }),
    operatorRoutes({ core, book, writes }),
    abnormalRoutes({ core, book, wechat: wechat.abnormal }),
    revocationRoutes({ core, book }),
    reconciliationRoutes({ core, book: differences, channels: sources.map((source) => source.channel) }),
    ledgerRoutes({ ledger, lines: ledgerLines(core.sql) }),
    settlementRoutes({ ledger, statements: providerStatements(core.sql) }),
    walletRoutes({
      core,
      book: walletBook(core.sql),
      writes: walletWrites({ originalOpen: config.treasury !== undefined }),
      vault: secrets,
    }),
    withdrawalRoutes({ core, book: purses }),
    operationRoutes({ service: 'payment-gateway', core }),
    wechatCallbackRoutes({
      core,
      book,
      writes,
      us,
      keyring: wechat.keyring,
      apiV3Keys: wechat.apiV3Keys,
      wall: wallClock,
      hearOfWithdrawal: hearer(core, purses),
    }),
    ...(bank ? [msePayCallbackRoutes({ core, book, writes, keyring: bank.keyring, wall: wallClock })] : []),
    ...(unionpay ? unionpay.routes({ core, book, writes, companyOf }) : []),
  ];
}

const handlersOf = (payeesOf: Parameters<typeof paymentHandlers>[0]['payeesOf']): readonly Handler[] => [
  ...paymentHandlers({ payeesOf, newPaymentId: (at) => newId('pay', at) }),
  ...closingHandlers(),
  ...reconciliationHandlers(),
  ...abnormalHandlers,
  ...walletHandlers(),
  ...withdrawalHandlers,
];

async function openWechat(config: Config['wechat'], log: Log) {
  const keyring = await openKeyring({ publicKey: config.publicKey, keysFile: config.keysFile }, wallClock);
  const secrets = await openSecrets(config, (error) => log.error({ err: error }, 'the keys of WeChat Pay could not be read again'));
  const client = wechatClient({
    hosts: config.hosts,
    merchant: secrets.merchant,
    keyring,
    answerSerial: config.publicKey?.id,
    wall: wallClock,
    log,
  });
  const wechat = wechatPay({ client, keyring, apiV3Keys: secrets.apiV3Keys });
  const stopLearning = config.certificates ? learnCertificates(wechat, keyring, log) : () => undefined;
  return {
    wechat,
    sharing: wechatSharing({ client }),
    abnormal: wechatAbnormal({ client, keyring }),
    withdrawals: wechatWithdrawals({ client, us: { notifyBaseUrl: config.notifyBaseUrl } }),
    bills: wechatBills({ client, privateKey: () => secrets.merchant().privateKey }),
    keyring,
    apiV3Keys: secrets.apiV3Keys,
    stop: async () => {
      stopLearning();
      secrets.stop();
      await client.close();
    },
  };
}

/** Certificates end, and new ones come before that: they are fetched at the start, twice a day, and when an unknown one has signed. */
function learnCertificates(wechat: ReturnType<typeof wechatPay>, keyring: Awaited<ReturnType<typeof openKeyring>>, log: Log): () => void {
  const learn = async (): Promise<void> => {
    const kind = await wechat.learnCertificates();
    if (kind !== 'done') log.error({ kind }, 'the certificates of WeChat Pay could not be fetched');
  };
  keyring.onRefresh(learn);
  void learn();
  const timer = setInterval(() => void learn(), CERTIFICATES_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The sandbox's page that plays the payer of a code. */
const payPage =
  (base: string | undefined) =>
  (codeUrl: string): string | undefined => {
    const code = /[?&]pr=([\w-]+)/.exec(codeUrl)?.[1];
    return base === undefined || code === undefined ? undefined : `${base}/${code}`;
  };
