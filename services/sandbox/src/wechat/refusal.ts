import type { WireError } from '@yunshi/protocols/wechat/error';

/** A refusal as the wire carries it. */
export type Refusal = { readonly status: number; readonly body: WireError };

const refusal = (status: number, code: string, message: string): Refusal => ({ status, body: { code, message } });

/** The words of the real service where they are known; where a page gives only the code, the words are ours. */
export const refusals = {
  accept: refusal(400, 'PARAM_ERROR', 'Http头缺少Accept或User-Agent'),
  merchant: refusal(403, 'NO_AUTH', '商户号与签名所用的商户号不一致'),
  appid: refusal(400, 'APPID_MCHID_NOT_MATCH', '商户号与appid不匹配'),
  serial: refusal(400, 'PARAM_ERROR', '平台证书序列号Wechatpay-Serial错误'),
  noCertificate: refusal(404, 'RESOURCE_NOT_EXISTS', '无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥'),
  otherParameters: refusal(400, 'INVALID_REQUEST', '请求重入时，参数与首次请求时不一致'),
  numberUsed: refusal(400, 'OUT_TRADE_NO_USED', '商户订单号重复'),
  expiresTooSoon: refusal(400, 'PARAM_ERROR', 'time_expire 须晚于当前时间1分钟以上'),
  orderPaid: refusal(400, 'ORDERPAID', '该订单已支付'),
  orderClosed: refusal(400, 'ORDER_CLOSED', '该订单已关闭'),
  orderMissing: refusal(404, 'ORDER_NOT_EXIST', '订单不存在'),
  otherSubOrders: refusal(400, 'PARAM_ERROR', '关单的子单与下单的子单不一致'),
  transactionMissing: refusal(404, 'RESOURCE_NOT_EXISTS', '订单不存在'),
  refundMissing: refusal(404, 'RESOURCE_NOT_EXISTS', '退款单不存在'),
  notPaid: refusal(400, 'INVALID_REQUEST', '订单未支付，不可退款'),
  otherTotal: refusal(400, 'PARAM_ERROR', '订单金额与支付时不一致'),
  tooMuch: refusal(400, 'INVALID_REQUEST', '累计退款金额大于支付金额'),
  tooMany: refusal(400, 'INVALID_REQUEST', '一笔订单最多支持50次部分退款'),
  tooLate: refusal(400, 'INVALID_REQUEST', '订单已超过可退款的最大期限'),
  noBalance: refusal(403, 'NOT_ENOUGH', '基本账户余额不足'),
  tooSoonAgain: refusal(429, 'FREQUENCY_LIMITED', '同一订单每分钟只能发起一次部分退款，请稍后用原单号重试'),
  notAbnormal: refusal(400, 'INVALID_REQUEST', '退款单不是异常状态，不可发起异常退款'),
  notForSharing: refusal(400, 'INVALID_REQUEST', '订单未支付或未声明分账，不可分账'),
  tooSoonToShare: refusal(400, 'INVALID_REQUEST', '订单支付成功1分钟后方可分账'),
  tooManyShares: refusal(400, 'INVALID_REQUEST', '一笔订单最多可发起50次分账'),
  tooGreatShare: refusal(403, 'RULE_LIMIT', '分账金额超出最大分账比例'),
  notEnoughToShare: refusal(403, 'NOT_ENOUGH', '分账金额不足'),
  nothingToFinish: refusal(403, 'NOT_ENOUGH', '分账金额为0，无需解冻剩余资金'),
  noRelation: refusal(403, 'NO_AUTH', '分账接收方关系未绑定，请先添加分账接收方'),
  shareMissing: refusal(404, 'RESOURCE_NOT_EXISTS', '分账单不存在'),
  returnMissing: refusal(404, 'RESOURCE_NOT_EXISTS', '分账回退单不存在'),
  notEnoughToReturn: refusal(403, 'NOT_ENOUGH', '剩余可回退的金额不足'),
  notEnoughToWithdraw: refusal(403, 'NOT_ENOUGH', '可提现金额不足'),
  subMerchantMissing: refusal(400, 'PARAM_ERROR', '二级商户号不存在'),
  withdrawalMissing: refusal(404, 'RESOURCE_NOT_EXISTS', '提现单不存在'),
  noStatement: refusal(400, 'NO_STATEMENT_EXIST', '账单不存在：当日无数据'),
  statementInMaking: refusal(400, 'STATEMENT_CREATING', '账单生成中，请稍后再试'),
  statementTooOld: refusal(400, 'PARAM_ERROR', '只能获取三个月以内的账单'),
  billUrlOver: refusal(400, 'INVALID_REQUEST', '账单下载地址无效或已过期'),
  notFound: refusal(404, 'NOT_FOUND', '接口不存在'),
  systemError: refusal(500, 'SYSTEM_ERROR', '系统异常，请稍后重试'),
  tooFrequent: refusal(429, 'FREQUENCY_LIMITED', '频率限制，请降低请求频率'),
} as const satisfies Record<string, Refusal>;

/** @param field a path such as `/body/sub_orders/0/amount` */
export function wrongParameter(field: string, issue: string): Refusal {
  return { status: 400, body: { code: 'PARAM_ERROR', message: `参数错误：${field} ${issue}`, detail: { field, issue, location: 'body' } } };
}

/** The real service shows what it would have signed, so that the reader can compare. */
export function wrongSignature(method: string, url: string, message: string): Refusal {
  const sign_information = { method, url, truncated_sign_message: message.slice(0, 200), sign_message_length: message.length };
  return { status: 401, body: { code: 'SIGN_ERROR', message: '错误的签名，验签失败', detail: { sign_information } } };
}
export const skewedClock: Refusal = refusal(401, 'SIGN_ERROR', '签名已过期：Authorization 中的 timestamp 与微信支付的时间相差超过5分钟');
export const unreadableAuthorization: Refusal = refusal(
  401,
  'SIGN_ERROR',
  'Http头Authorization值格式错误，请参考《微信支付商户接口签名规则》',
);
