import type { AccountId, ClaimId, CouponId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';

/*
 * The demo world's fixed ids and names, which the seeds of several services and the story of `npm run demo` share. Data only: what
 * things cost, say and do is in the seed of the service that owns them.
 */

/** Fixed ids look like any others (UUIDv7), but count up so that a person can tell them apart. */
const fixed = (prefix: string, nth: number): string => `${prefix}_0198c00000007000800${String(nth).padStart(13, '0')}`;
const account = (nth: number) => fixed('acc', nth) as AccountId;
const user = (nth: number) => fixed('usr', nth) as UserId;
const provider = (nth: number) => fixed('prv', nth) as ProviderId;
const product = (nth: number) => fixed('prd', nth) as ProductId;
const coupon = (nth: number) => fixed('cpn', nth) as CouponId;
const claim = (nth: number) => fixed('ccl', nth) as ClaimId;
/** The SKUs of product 12 are 1201, 1202, … */
const sku = (productNth: number, nth: number) => fixed('sku', productNth * 100 + nth) as SkuId;

export const demoAccounts = {
  qinghe: { accountId: account(1), name: '青禾便利连锁', nameEn: 'Qinghe Convenience Stores' },
  haishi: { accountId: account(2), name: '海石物流', nameEn: 'Haishi Logistics' },
  suting: { accountId: account(3), name: '苏婷设计工作室', nameEn: 'Su Ting Design Studio' },
  fanying: { accountId: account(11), name: '帆影软件', nameEn: 'Fanying Software' },
  chenxi: { accountId: account(12), name: '晨曦云应用', nameEn: 'Chenxi Cloud Apps' },
  lidun: { accountId: account(13), name: '砺盾安全', nameEn: 'Lidun Security' },
  wenlan: { accountId: account(14), name: '文澜智数', nameEn: 'Wenlan Intelligence' },
  muzuo: { accountId: account(15), name: '木作镜像工坊', nameEn: 'Muzuo Image Works' },
  direct: { accountId: account(16), name: '云市自营', nameEn: 'Yunshi Direct' },
  yunshi: { accountId: account(21), name: '云市', nameEn: 'Yunshi' },
} as const;

export const demoProviders = {
  fanying: { providerId: provider(1), name: '帆影软件', nameEn: 'Fanying Software' },
  chenxi: { providerId: provider(2), name: '晨曦云应用', nameEn: 'Chenxi Cloud Apps' },
  lidun: { providerId: provider(3), name: '砺盾安全', nameEn: 'Lidun Security' },
  wenlan: { providerId: provider(4), name: '文澜智数', nameEn: 'Wenlan Intelligence' },
  muzuo: { providerId: provider(5), name: '木作镜像工坊', nameEn: 'Muzuo Image Works' },
  direct: { providerId: provider(6), name: '云市自营', nameEn: 'Yunshi Direct' },
} as const;

/** Those who are spoken to by Alibaba's SPI; the others that deliver software speak Tencent's protocol. */
export const demoSpiProviders: readonly ProviderId[] = [demoProviders.lidun.providerId];

/** Everybody whom the development issuer can be: three buyers, a user of each provider, two operators. */
export const demoPersonas = {
  lin: { userId: user(1), accountId: demoAccounts.qinghe.accountId, name: '林晓', title: '买家 · 青禾便利连锁', roles: ['buyer'] },
  zhao: { userId: user(2), accountId: demoAccounts.haishi.accountId, name: '赵启明', title: '买家 · 海石物流', roles: ['buyer'] },
  su: { userId: user(3), accountId: demoAccounts.suting.accountId, name: '苏婷', title: '买家 · 苏婷设计工作室', roles: ['buyer'] },
  he: {
    userId: user(4),
    accountId: demoAccounts.qinghe.accountId,
    name: '何静',
    title: '买家 · 青禾便利连锁 · 采购审批',
    roles: ['buyer', 'approver'],
  },
  fanying: {
    userId: user(11),
    accountId: demoAccounts.fanying.accountId,
    name: '方远',
    title: '服务商 · 帆影软件',
    roles: ['provider'],
    providerId: demoProviders.fanying.providerId,
  },
  chenxi: {
    userId: user(12),
    accountId: demoAccounts.chenxi.accountId,
    name: '陈熙',
    title: '服务商 · 晨曦云应用',
    roles: ['provider'],
    providerId: demoProviders.chenxi.providerId,
  },
  lidun: {
    userId: user(13),
    accountId: demoAccounts.lidun.accountId,
    name: '李盾',
    title: '服务商 · 砺盾安全',
    roles: ['provider'],
    providerId: demoProviders.lidun.providerId,
  },
  wenlan: {
    userId: user(14),
    accountId: demoAccounts.wenlan.accountId,
    name: '文岚',
    title: '服务商 · 文澜智数',
    roles: ['provider'],
    providerId: demoProviders.wenlan.providerId,
  },
  muzuo: {
    userId: user(15),
    accountId: demoAccounts.muzuo.accountId,
    name: '穆作',
    title: '服务商 · 木作镜像工坊',
    roles: ['provider'],
    providerId: demoProviders.muzuo.providerId,
  },
  direct: {
    userId: user(16),
    accountId: demoAccounts.direct.accountId,
    name: '易行',
    title: '服务商 · 云市自营',
    roles: ['provider'],
    providerId: demoProviders.direct.providerId,
  },
  operator: { userId: user(21), accountId: demoAccounts.yunshi.accountId, name: '云市运营', title: '运营', roles: ['operator'] },
  /** Where money is settled by hand, a second person has to agree. */
  finance: { userId: user(22), accountId: demoAccounts.yunshi.accountId, name: '云市财务', title: '运营 · 财务复核', roles: ['operator'] },
} as const;

/** The products by name, and their SKUs by what they are. */
export const demoProducts = {
  // 帆影软件: SaaS. The help desk is what the story buys: its provider delivers at the first call.
  helpDesk: {
    productId: product(1),
    name: '帆影智能客服',
    skus: { trial: sku(1, 1), basic: sku(1, 2), team: sku(1, 3), yearly: sku(1, 4) },
  },
  crm: { productId: product(2), name: '帆影客户管理 CRM', skus: { trial: sku(2, 1), seats: sku(2, 2), seatsYearly: sku(2, 3) } },
  office: { productId: product(3), name: '帆影协同办公', skus: { seats: sku(3, 1), yearly: sku(3, 2) } },
  contracts: { productId: product(4), name: '帆影电子合同', skus: { standard: sku(4, 1), enterprise: sku(4, 2) } },
  /** Its provider builds an environment first and answers "0", meaning later, for a while. */
  knowledgeBase: { productId: product(5), name: '帆影专属知识库', skus: { monthly: sku(5, 1), yearly: sku(5, 2) } },
  /** SaaS that also needs human delivery. */
  erp: { productId: product(6), name: '帆影 ERP 实施版', skus: { standard: sku(6, 1), flagship: sku(6, 2) } },
  // 晨曦云应用: SaaS.
  /** Its provider never delivers, so that every order of it fails and is refunded. */
  stock: { productId: product(7), name: '晨曦进销存', skus: { monthly: sku(7, 1), yearly: sku(7, 2) } },
  shifts: { productId: product(8), name: '晨曦智能排班', skus: { trial: sku(8, 1), seats: sku(8, 2) } },
  survey: { productId: product(9), name: '晨曦问卷', skus: { free: sku(9, 1), professional: sku(9, 2) } },
  // 砺盾安全: an image, services and a SaaS product.
  hardenedLinux: { productId: product(10), name: '砺盾等保加固镜像 Linux', skus: { monthly: sku(10, 1), yearly: sku(10, 2) } },
  bastion: { productId: product(11), name: '砺盾堡垒机镜像', skus: { assets20: sku(11, 1), assets100: sku(11, 2) } },
  penetrationTest: { productId: product(12), name: '砺盾渗透测试服务', skus: { web: sku(12, 1), app: sku(12, 2) } },
  gradedProtection: { productId: product(13), name: '砺盾等保测评咨询', skus: { level2: sku(13, 1), level3: sku(13, 2) } },
  scanner: { productId: product(14), name: '砺盾漏洞扫描', skus: { trial: sku(14, 1), monthly: sku(14, 2), yearly: sku(14, 3) } },
  // 文澜智数: APIs.
  invoiceReading: {
    productId: product(15),
    name: '文澜发票识别 API',
    skus: { calls100: sku(15, 1), calls1000: sku(15, 2), calls10000: sku(15, 3) },
  },
  addressParsing: { productId: product(16), name: '文澜地址解析 API', skus: { calls1000: sku(16, 1), calls50000: sku(16, 2) } },
  speech: { productId: product(17), name: '文澜语音转写 API', skus: { calls500: sku(17, 1), calls5000: sku(17, 2) } },
  translation: { productId: product(18), name: '文澜机器翻译 API', skus: { calls1000: sku(18, 1), calls20000: sku(18, 2) } },
  moderation: { productId: product(19), name: '文澜内容审核 API', skus: { calls1000: sku(19, 1), calls100000: sku(19, 2) } },
  // 木作镜像工坊: images.
  lnmp: { productId: product(20), name: 'LNMP 网站运行环境', skus: { monthly: sku(20, 1), yearly: sku(20, 2) } },
  containers: { productId: product(21), name: '容器运行环境镜像', skus: { monthly: sku(21, 1), yearly: sku(21, 2) } },
  database: { productId: product(22), name: 'PostgreSQL 数据库镜像', skus: { monthly: sku(22, 1), yearly: sku(22, 2) } },
  gameServer: { productId: product(23), name: '联机游戏服务器镜像', skus: { monthly: sku(23, 1) } },
  // 云市自营: human services.
  migration: { productId: product(24), name: '上云迁移服务', skus: { perServer: sku(24, 1), assessment: sku(24, 2) } },
  website: { productId: product(25), name: '企业官网建设', skus: { template: sku(25, 1), custom: sku(25, 2) } },
  filing: { productId: product(26), name: '网站备案协助', skus: { once: sku(26, 1) } },
  training: { productId: product(27), name: '云上运维实训', skus: { person: sku(27, 1), group: sku(27, 2) } },
  /** Taken off the shelf: it can still be looked at, but not ordered. */
  fax: { productId: product(28), name: '帆影网络传真', skus: { monthly: sku(28, 1) } },
} as const;

/** The offers of coupons, named by what they take off. */
export const demoCoupons = {
  fanyingMinus20: { couponId: coupon(1), name: '帆影新客满 100 减 20' },
  fanying85: { couponId: coupon(2), name: '帆影全店 8.5 折' },
  helpDeskHalf: { couponId: coupon(3), name: '智能客服五折尝鲜' },
  fanyingMinus300: { couponId: coupon(4), name: '帆影满 2000 减 300' },
  fanyingRenewal: { couponId: coupon(5), name: '帆影老友续费 9 折' },
  helpDeskConversion: { couponId: coupon(6), name: '智能客服试用转正减 50' },
  lidunMinus150: { couponId: coupon(7), name: '砺盾全店满 1000 减 150' },
  lidunImages: { couponId: coupon(8), name: '砺盾镜像 8 折' },
  wenlanMinus80: { couponId: coupon(9), name: '文澜接口包满 500 减 80' },
  wenlanGone: { couponId: coupon(10), name: '文澜开学季满 200 减 50' },
  muzuoPaused: { couponId: coupon(11), name: '木作镜像 9 折' },
  directUnlisted: { couponId: coupon(12), name: '云市自营大客户满 3000 减 500' },
  chenxiTenth: { couponId: coupon(13), name: '晨曦排班 1 折体验' },
  chenxiExpired: { couponId: coupon(14), name: '晨曦春季满 50 减 10' },
  fanyingLater: { couponId: coupon(15), name: '帆影年中大促 7 折' },
} as const;

/** Coupons that the buyers have claimed before the story begins. */
export const demoClaims = {
  linMinus20: claim(1),
  lin85: claim(2),
  linHalf: claim(3),
  linMinus300: claim(4),
  linRenewal: claim(5),
  linConversion: claim(6),
  linLidun: claim(7),
  linExpired: claim(8),
  linLater: claim(9),
  zhaoMinus20: claim(11),
  zhao85: claim(12),
  zhaoLidunImages: claim(13),
  zhaoWenlan: claim(14),
  zhaoDirect: claim(15),
  su85: claim(21),
  suPaused: claim(22),
  suTenth: claim(23),
  suExpired: claim(24),
} as const;
