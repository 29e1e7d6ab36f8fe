/** An answer code with its words. */
export type Said = { readonly code: string; readonly message: string };

const say = (code: string, text: string, detail: string): Said => ({ code, message: `${text}[${detail}]` });

export const said = {
  done: say('00', '成功', '0000000'),
  atWork: say('05', '交易已受理，请稍后查询交易结果', '0000005'),
  format: say('10', '报文格式错误', '1000010'),
  signature: say('11', '验证签名失败', '9100004'),
  duplicate: say('12', '重复交易', '3000012'),
  refused: say('30', '交易未通过，请尝试使用其他银行卡支付或联系95516', '3000030'),
  missing: say('34', '查无此交易', '2600000'),
  notPaid: say('35', '原交易状态不正确', '2600035'),
  tooMuch: say('36', '与原交易信息不符', '2600036'),
  late: say('39', '交易不在受理时间范围内', '2600039'),
  noFile: say('98', '文件不存在', '7600098'),
} as const satisfies Record<string, Said>;
