import { billCodes } from '@yunshi/protocols/mse-pay/bill';
import type { WireError } from '@yunshi/protocols/mse-pay/notice';

/** A refusal as the wire carries it. The codes of the real service are not public: these are ours. */
export type Refusal = { readonly status: number; readonly body: WireError };

const refusal = (status: number, code: string, desc: string): Refusal => ({ status, body: { error: { code, desc } } });

export const refusals = {
  signature: refusal(401, 'SIGN_ERROR', '验签失败'),
  clock: refusal(401, 'SIGN_ERROR', '时间戳与服务器时间相差超过5分钟'),
  encryption: refusal(400, 'DECRYPT_ERROR', '敏感字段解密失败'),
  parameter: refusal(400, 'PARAM_ERROR', '参数错误'),
  otherParameters: refusal(400, 'PARAM_INCONSISTENT', '重入请求的参数与首次请求不一致'),
  bankUnknown: refusal(400, 'BANK_NOT_SUPPORTED', '不支持的银行'),
  expired: refusal(400, 'PARAM_ERROR', '支付截止时间已过'),
  missing: refusal(404, 'PAYMENT_NOT_EXIST', '支付单不存在'),
  refundMissing: refusal(404, 'REFUND_NOT_EXIST', '退款单不存在'),
  bankHolds: refusal(400, 'BANK_ACCEPTED', '银行已受理，待复核的支付单不能关闭'),
  paid: refusal(400, 'PAYMENT_PAID', '支付单已支付'),
  notPaid: refusal(400, 'PAYMENT_NOT_PAID', '支付单未支付，不可退款'),
  tooMuch: refusal(400, 'REFUND_TOO_MUCH', '累计退款金额大于支付金额'),
  dayNotOver: refusal(400, 'PARAM_ERROR', '账单日期须早于今天'),
  billInMaking: refusal(400, billCodes.making, '账单生成中，请稍后再试'),
  noBill: refusal(404, billCodes.none, '当日无账单'),
  notFound: refusal(404, 'NOT_FOUND', '接口不存在'),
  systemError: refusal(500, 'SYSTEM_ERROR', '系统异常，请稍后重试'),
} as const satisfies Record<string, Refusal>;
